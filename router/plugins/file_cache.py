"""What documents were found to hold, of those that were read lately, bounded in bytes.

A conversation sends its documents again with every turn, also from clients that do not bring annotations back.
"""

from collections import OrderedDict
from collections.abc import Hashable


class FileCache:
    """By document; the least recently used is dropped first."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: of all parts together; 0 keeps nothing."""
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, tuple[bytes, ...]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, document: Hashable) -> tuple[bytes, ...] | None:
        """The raw JSON of its parts."""
        if document not in self._kept:
            return None
        self._kept.move_to_end(document)
        return self._kept[document]

    def put(self, document: Hashable, parts: tuple[bytes, ...]) -> None:
        """Keep them, unless they are larger than all that may be kept."""
        if document in self._kept or _size(parts) > self._most_bytes:
            return
        self._kept[document] = parts
        self.bytes += _size(parts)
        while self.bytes > self._most_bytes:
            self.bytes -= _size(self._kept.popitem(last=False)[1])


def _size(parts: tuple[bytes, ...]) -> int:
    return sum(map(len, parts)) + 256  # what an entry costs besides
