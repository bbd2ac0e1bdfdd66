"""The files of a live spool: appended to at one end, deleted at the other, written through to the disk meanwhile.

A process that dies loses nothing that was appended, because the system has it. A machine that dies loses what was not
written through. Whether a copy is safe is asked by the number of the round in which it was made: a round that begins
later writes it through.
"""

import asyncio
import os
from collections import deque
from typing import NamedTuple

from router.store.spool_disk import Trouble, logger, write_through
from router.store.spool_home import Home
from router.store.spool_segment import Disk, Segment

_PROBE_BYTES = 65_536  # that a disk which refused must have to spare before it is trusted again


class Place(NamedTuple):
    """Of a line."""

    segment: Segment
    offset: int
    size: int

    def read(self) -> bytes:
        """
        Raises:
            OSError: the disk failed.
        """
        return self.segment.read(self.offset, self.size)


class Files:
    """At least one segment. Nothing raises but where it says so."""

    def __init__(self, home: Home, segment_bytes: int, fsync_s: float | None, disk: Disk) -> None:
        self.segments = deque([Segment(1, home.segment(1), disk)])
        self.size = 0  # of all
        self.writing = Trouble("written")
        self.syncing = Trouble("written through to its disk")
        self.round = 0  # of writing through, that began last
        self._done_round = 0
        self._home = home
        self._segment_bytes = segment_bytes
        self._fsync_s = fsync_s
        self._disk = disk

    @property
    def in_memory(self) -> int:
        """Bytes that the disk has refused so far."""
        return sum(segment.in_memory for segment in self.segments)

    @property
    def is_well(self) -> bool:
        return not self.writing and not self.syncing

    def append(self, line: bytes) -> Place:
        """Always accepted."""
        segment = self.segments[-1]
        if segment.size and segment.size + len(line) > self._segment_bytes:
            segment = self.begin_segment()
        place = Place(segment, segment.size, len(line))
        segment.accept(line)
        self.size += len(line)
        self.flush()
        return place

    def begin_segment(self) -> Segment:
        number = self.segments[-1].number + 1
        self.segments.append(Segment(number, self._home.segment(number), self._disk))
        return self.segments[-1]

    def delete_oldest(self) -> None:
        oldest = self.segments.popleft()
        self.size -= oldest.size
        try:
            oldest.delete()
        except OSError as error:
            logger.warning("ledger: %r stays: %s", oldest, error.strerror)

    def flush(self) -> None:
        """Have the disk take what it has not taken yet."""
        try:
            if self.writing:
                for segment in self.segments:
                    segment.flush()
                self.segments[-1].probe(_PROBE_BYTES)
            else:
                self.segments[-1].flush()
        except OSError as error:
            self.writing.failed(error)
        else:
            self.writing.is_over()
        if self._fsync_s == 0:
            self._write_through_now()

    async def write_through(self) -> None:
        """What was appended until now, in a thread."""
        self.round += 1
        this_round, dirty = self.round, self._dirty()
        if dirty:
            try:
                await asyncio.to_thread(write_through, _descriptors(dirty), self._home.path)
            except OSError as error:
                self._failed(dirty, error)
                return
        self.syncing.is_over()
        self._done_round = this_round

    def is_safe(self, in_round: int) -> bool:
        """Is what was appended in that round as safe as it is going to be?"""
        return not self.in_memory and (not self._fsync_s or self._done_round > in_round)

    def close(self) -> None:
        """With a last try to have everything on the disk."""
        self.flush()
        if self._fsync_s is not None:
            self._write_through_now()
        for segment in self.segments:
            segment.close()

    def _write_through_now(self) -> None:
        if dirty := self._dirty():
            try:
                write_through(_descriptors(dirty), self._home.path)
            except OSError as error:
                self._failed(dirty, error)
            else:
                self.syncing.is_over()

    def _dirty(self) -> list[Segment]:
        """From now on they count as clean."""
        dirty = [segment for segment in self.segments if segment.is_dirty]
        for segment in dirty:
            segment.is_dirty = False
        return dirty

    def _failed(self, dirty: list[Segment], error: OSError) -> None:
        for segment in dirty:
            segment.is_dirty = True
        self.syncing.failed(error)


def _descriptors(segments: list[Segment]) -> list[int]:
    """Their own, which a segment that is deleted meanwhile does not close.

    Raises:
        OSError: there are too many.
    """
    descriptors: list[int] = []
    try:
        for segment in segments:
            descriptors.append(os.dup(segment.descriptor))  # noqa: PERF401 - those before one that fails are closed
    except OSError:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return descriptors
