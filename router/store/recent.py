"""The rows that are not in the database yet, by their ids: whoever has an answer can ask about it at once.

Stands before the journal, which keeps them on disk. Nothing here survives, and nothing depends on it: it is bounded,
the oldest go first, and those are found in the database as soon as they are written. A router without a database has no
journal behind it, and remembers the last ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from router.protocol.entry import Entry, Opened


@dataclass(frozen=True, slots=True)
class RecentSettings:
    """Raises ValueError when the field is out of its range; the message begins with its name."""

    # remembered at most; they wait for fractions of a second, so these are some ten thousand requests in a second, or a
    # database that is away. Each takes two to three kilobytes
    rows: int = 10_000

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= 1_000_000:
            raise ValueError(f"rows must be from 1 to 1000000, got {self.rows}")


class Journal(Protocol):
    """Where it is written that requests begin and how they end. Neither waits nor raises."""

    @property
    def has_room(self) -> bool: ...
    def opened(self, opened: Opened) -> None: ...
    def closed(self, entry: Entry) -> None: ...


class Recent:
    """A journal. One per router.

    Args:
        journal: what else is told; None: nothing is kept for longer.
        settings: how much is remembered.
    """

    def __init__(self, journal: Journal | None, settings: RecentSettings) -> None:
        self._journal = journal
        self._most = settings.rows
        self._rows: dict[str, Entry] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def has_room(self) -> bool:
        """May a new request begin?"""
        return self._journal is None or self._journal.has_room

    def opened(self, opened: Opened) -> None:
        """A request begins."""
        if self._journal is not None:
            self._journal.opened(opened)

    def closed(self, entry: Entry) -> None:
        """A request is over."""
        if self._journal is not None:
            self._journal.closed(entry)
        self._rows[entry.id] = entry
        if len(self._rows) > self._most:
            del self._rows[next(iter(self._rows))]

    def written(self, entries: Iterable[Entry]) -> None:
        """These are in the database, or never will be."""
        for entry in entries:
            self._rows.pop(entry.id, None)

    def find(self, generation: str) -> Entry | None:
        """None: it is not here (any more)."""
        return self._rows.get(generation)
