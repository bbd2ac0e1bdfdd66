"""Does a piece of an event stream bring anything, or is it only keep-alive comments?

Engines may send comment lines (`: keep-alive`) while they are stuck; if those counted, a stream that has hung would
look alive for ever. A line is a comment if it starts with a colon (WHATWG HTML §9.2.6).
"""


class Progress:
    """Follows one stream; pieces may be cut anywhere, also inside a comment or between CR and LF."""

    __slots__ = ("_in_comment", "_is_line_start")

    def __init__(self) -> None:
        self._is_line_start = True
        self._in_comment = False

    @property
    def is_between_lines(self) -> bool:
        """Has the last line ended, so that what comes next is understood without what came before?"""
        return self._is_line_start

    def feed(self, data: bytes) -> bool:
        """Take the next piece; True if any byte of it belongs to a line that is no comment and not empty."""
        if self._is_line_start and data.startswith(b"data:") and data.endswith(b"\n"):
            return True  # what an engine sends nearly always: whole lines, the first of them data
        found = False
        for line in data.splitlines(keepends=True):
            if self._is_line_start and line.startswith(b":"):
                self._in_comment = True
            if not self._in_comment and line.strip(b"\r\n"):
                found = True
            self._is_line_start = line.endswith((b"\n", b"\r"))
            if self._is_line_start:
                self._in_comment = False
        return found
