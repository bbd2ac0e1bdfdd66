"""What a command raises when the person at the shell can do something about it."""


class Problem(Exception):
    """A sentence that says what is wrong and what to do. Printed without a traceback; exit status 1."""
