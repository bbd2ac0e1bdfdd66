"""Lines out of pieces of a file, as they come: never more is held than one line and one piece."""

from collections.abc import Iterator


class LineTooLong(Exception):
    """A line is longer than it may be."""


class Lines:
    """Feed it pieces; each gives the lines that it completes, without their ends. Empty lines are given too."""

    def __init__(self, longest: int) -> None:
        """`longest`: bytes of one line."""
        self._longest = longest
        self._begun: list[bytes] = []  # pieces of the line that is not over
        self._held = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Raises LineTooLong."""
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            self._keep(piece[start:end])
            yield self._take()
            start = end + 1
        if start < len(piece):
            self._keep(piece[start:])

    def end(self) -> Iterator[bytes]:
        """The last line, if it has no end of its own."""
        if self._held:
            yield self._take()

    def _keep(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._longest:
            raise LineTooLong
        self._begun.append(part)

    def _take(self) -> bytes:
        line = b"".join(self._begun)
        self._begun, self._held = [], 0
        return line.removesuffix(b"\r")
