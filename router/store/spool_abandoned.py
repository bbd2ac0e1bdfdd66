"""A dead router's spool, read once from its beginning to its end.

A request whose end is not there was under way when its router died: it gets a row that says so. Nothing is deleted
before all rows are written, so whoever adopts may die too: the next one writes the same rows again, which the database
has by then.
"""

import os
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from router.protocol.entry import Entry, Opened
from router.protocol.spool_line import decode
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import Home
from router.store.spool_lines import lines


class Abandoned:
    """To be read in one thread at a time."""

    def __init__(self, home: Home, damaged: DamagedLog) -> None:
        self.home = home
        self.is_read = False  # to its end
        self.rows = 0  # read so far
        self.interrupted = 0  # of them, requests without an end
        self._damaged = damaged
        self._entries = self._read()

    def take(self, limit: int) -> list[Entry]:
        """The next rows.

        Raises:
            OSError: the disk failed; it is not to be read on.
        """
        entries = list(islice(self._entries, limit))
        self.rows += len(entries)
        self.is_read = len(entries) < limit
        return entries

    def _read(self) -> Iterator[Entry]:
        opened: dict[str, Opened] = {}  # those without an end so far: as many as were under way at once
        for path in self.home.segments():
            for record in self._records(path):
                if isinstance(record, Opened):
                    opened[record.id] = record
                else:
                    opened.pop(record.id, None)
                    yield record
        self.interrupted = len(opened)
        for each in opened.values():
            yield each.interrupted()

    def _records(self, path: Path) -> Iterator[Opened | Entry]:
        """What no line break ends was being written when the router died: nobody was told that it was."""
        with path.open("rb", buffering=0) as file:
            for _, line in lines(partial(_read_at, file.fileno())):
                if (record := decode(line)) is not None:
                    yield record
                elif line:
                    self._damaged.add(line, str(path))


def _read_at(descriptor: int, offset: int, size: int) -> bytes:
    return os.pread(descriptor, size, offset)
