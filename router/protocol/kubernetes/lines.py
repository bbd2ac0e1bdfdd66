"""Cuts a watch into its lines: one JSON document each, however the network cut them."""


class LineTooLong(Exception):
    """A line is longer than the limit."""


class Lines:
    """Holds what has come of the last line. Costs the same for a line that comes byte by byte as for a whole one."""

    def __init__(self, limit: int) -> None:
        """`limit`: the longest line, in bytes."""
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without empty ones. Raises LineTooLong."""
        seen = len(self._held)
        self._held += data
        end = self._held.rfind(b"\n", seen)
        if end < 0:
            self._check(len(self._held))
            return []
        lines = bytes(self._held[:end]).split(b"\n")
        del self._held[: end + 1]
        self._check(max(len(self._held), *map(len, lines)))
        return [line for line in lines if line.strip()]

    def _check(self, longest: int) -> None:
        if longest > self._limit:
            raise LineTooLong
