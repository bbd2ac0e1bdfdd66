"""The events of an answer's stream: named, numbered from zero, in the order in which they happen."""


class Events:
    """Takes events until they are fetched. One per answer."""

    __slots__ = ("_number", "_waiting")

    def __init__(self) -> None:
        self._number = 0
        self._waiting: list[bytes] = []

    def add(self, kind: bytes, fields: bytes) -> None:
        """One event. `fields`: JSON members of its data, without braces, type and number."""
        self._waiting.append(
            b'event: %b\ndata: {"type":"%b",%b,"sequence_number":%d}\n\n' % (kind, kind, fields, self._number)
        )
        self._number += 1

    def add_raw(self, event: bytes) -> None:
        """A piece of the stream that is no event of the answer: a comment, the end."""
        self._waiting.append(event)

    def take(self) -> bytes:
        """All that came since the last time."""
        waiting, self._waiting = self._waiting, []
        return waiting[0] if len(waiting) == 1 else b"".join(waiting)
