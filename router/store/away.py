"""The one thing that may go wrong with the database and is nobody's mistake."""


class DatabaseAway(Exception):
    """The database cannot be reached, is full, or is too slow; whoever asked may ask again.

    Every store raises it, and nothing else that is not a mistake of ours. Its text holds no address, no statement and
    no value. What was being written may have been written or not: all writing can be repeated.
    """
