"""The rows of a live spool on their way to the database: read back from its files, in order, each once."""

from collections import deque
from collections.abc import Iterator

from router.protocol.entry import Entry
from router.protocol.spool_line import decode
from router.store.spool_damaged import DamagedLog
from router.store.spool_disk import Trouble
from router.store.spool_files import Files
from router.store.spool_lines import lines
from router.store.spool_segment import Segment


class Rows:
    """What is taken is to be said done, in the same order."""

    def __init__(self, files: Files, damaged: DamagedLog) -> None:
        self.pending = 0  # not said done
        self.untaken = 0  # of them
        self.reading = Trouble("read")
        self._files = files
        self._damaged = damaged
        self._segment = files.segments[0]  # that is being read
        self._offset = 0  # in it, of what was not read yet
        self._taken: deque[tuple[Segment, int]] = deque()

    def appended(self, segment: Segment) -> None:
        """One more row is there."""
        segment.entries += 1
        self.pending += 1
        self.untaken += 1

    def is_done_with(self, segment: Segment) -> bool:
        """Are all of its rows in the database?"""
        return segment.number < self._segment.number and not segment.outstanding

    def take(self, limit: int) -> list[Entry]:
        """The next rows, at most so many."""
        entries: list[Entry] = []
        try:
            while len(entries) < limit:
                self._take_from_segment(entries, limit)
                if len(entries) < limit and not self._has_next_segment():
                    break
        except OSError as error:  # what was read so far is given; whoever asks next finds out about the rest
            self.reading.failed(error)
        else:
            self.reading.is_over()
        return entries

    def done(self, count: int) -> None:
        """The first so many of those taken."""
        self.pending -= count
        while count:
            segment, taken = self._taken.popleft()
            if taken > count:
                self._taken.appendleft((segment, taken - count))
                taken = count
            segment.outstanding -= taken
            count -= taken

    def give_up_oldest(self) -> tuple[int, list[Entry]]:
        """Pass over the rest of the oldest segment, which is not the newest: how many rows, and which can be read."""
        segment = self._files.segments[0]
        if segment is not self._segment:
            return 0, []
        missing, entries = segment.entries - segment.taken, []
        try:
            entries = [entry for _, entry in self._read(segment) if entry is not None]
        except OSError as error:
            self.reading.failed(error)
        self._pass_over(segment)
        return missing, entries

    def _take_from_segment(self, entries: list[Entry], limit: int) -> None:
        """
        Raises:
            OSError: the disk failed; what was read before it did is taken.
        """
        segment, before = self._segment, len(entries)
        try:
            for offset, entry in self._read(segment):
                self._offset = offset
                if entry is not None:
                    entries.append(entry)
                    if len(entries) == limit:
                        break
        finally:
            if taken := len(entries) - before:
                segment.taken += taken
                segment.outstanding += taken
                self.untaken -= taken
                self._taken.append((segment, taken))

    def _has_next_segment(self) -> bool:
        """Go on to it.

        Raises:
            OSError: the disk failed.
        """
        segment = self._segment
        if segment is self._files.segments[-1]:
            return False
        if self._offset < segment.size:  # the line break at its end is gone
            self._damaged.add(segment.read(self._offset, segment.size), repr(segment))
        self._pass_over(segment)
        return True

    def _pass_over(self, segment: Segment) -> None:
        """Read the one behind it from now on. What was not taken of it by now never will be."""
        missing = segment.entries - segment.taken
        self.pending -= missing
        self.untaken -= missing
        self._segment = self._files.segments[segment.number - self._files.segments[0].number + 1]
        self._offset = 0

    def _read(self, segment: Segment) -> Iterator[tuple[int, Entry | None]]:
        for offset, line in lines(segment.read, self._offset):
            record = decode(line)
            if record is None and line:
                self._damaged.add(line, repr(segment))
            yield offset, record if isinstance(record, Entry) else None
