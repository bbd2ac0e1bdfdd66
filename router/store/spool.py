"""The write-ahead spool of a live router: what began and what it came to, on disk before anybody is told.

There is no second copy in memory, only where the beginnings of requests under way stand. When all rows of a segment are
in the database it is deleted; beginnings in it are copied to the newest segment first, and are safe there before it
goes: a crash never forgets a request. Segments go from the oldest on, so that no beginning outlives its end.

What may not grow is the sum of all segments. `refuse`: there is room for a new request while there is room for its end
and the ends of all that are under way, which are taken always. `drop_oldest`: there is always room, and the oldest
segments go. A disk that takes nothing counts as full; what it refused stays in memory until it is taken, or has got
into the database from there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from router.protocol.entry import Entry, Opened
from router.protocol.spool_line import encode
from router.store.spool_damaged import DamagedLog
from router.store.spool_disk import logger
from router.store.spool_files import Files, Place
from router.store.spool_home import Home
from router.store.spool_rows import Rows
from router.store.spool_segment import SYSTEM, Disk, Segment
from router.store.spool_settings import SpoolSettings, WhenFull

_END_BYTES = 4_096  # kept for the end of each request under way: three times the usual


class Spool:
    """One per router; its folder is given back by `close`. Nothing waits for anything, and nothing raises.

    Args:
        home: the folder, made for this router.
        settings: how large, how safe.
        damaged: where lines go that cannot be read back.
        disk: the system's.
    """

    def __init__(self, home: Home, settings: SpoolSettings, damaged: DamagedLog, *, disk: Disk = SYSTEM) -> None:
        self._home = home
        self._settings = settings
        self._files = Files(home, settings.segment_bytes, settings.fsync_s, disk)
        self._rows = Rows(self._files, damaged)
        self._under_way: dict[str, Place] = {}  # where it says that they began
        self.dropped = 0  # rows, since the start
        self.on_closed: Callable[[], None] = _nobody_listens  # to be assigned
        self.on_dropped: Callable[[Sequence[Entry]], None] = _nobody_hears  # of rows that will never be written

    def __repr__(self) -> str:
        return f"Spool({self._home.boot}, size={self.size}, pending={self.pending}, under_way={self.under_way})"

    @property
    def has_room(self) -> bool:
        """May a new request begin?"""
        if self._settings.when_full is WhenFull.DROP_OLDEST:
            return True
        kept = _END_BYTES * (len(self._under_way) + 1)
        return self._files.is_well and self.size + kept <= self._settings.max_bytes

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return self._files.size

    @property
    def in_memory(self) -> int:
        """Bytes that the disk has refused so far."""
        return self._files.in_memory

    @property
    def pending(self) -> int:
        """Rows that are not known to be in the database."""
        return self._rows.pending

    @property
    def untaken(self) -> int:
        """Rows that nobody has asked for yet."""
        return self._rows.untaken

    @property
    def under_way(self) -> int:
        """Requests that have begun and are not over."""
        return len(self._under_way)

    @property
    def failures(self) -> int:
        """Of the disk, since the start."""
        return self._files.writing.failures + self._files.syncing.failures + self._rows.reading.failures

    def opened(self, opened: Opened) -> None:
        """A request begins."""
        self._begin(opened.id, encode(opened))
        self._keep_bounds()

    def closed(self, entry: Entry) -> None:
        """A request is over."""
        if (place := self._under_way.pop(entry.id, None)) is not None:
            place.segment.opens -= 1
        self._rows.appended(self._files.append(encode(entry)).segment)
        self._keep_bounds()
        self.on_closed()

    def take(self, limit: int) -> list[Entry]:
        """The next rows in the order in which they were closed, at most so many; each is given once."""
        entries = self._rows.take(limit)
        self._free()
        return entries

    def done(self, count: int) -> None:
        """The first so many of the rows that were taken are in the database."""
        self._rows.done(count)
        self._free()

    def tend(self) -> None:
        """Try again what the disk refused; to be called now and then."""
        if not self._files.is_well:
            self._files.flush()
        self._free()

    async def keep_written_through(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Write through to the disk as often as is set, until cancelled."""
        while self._settings.fsync_s:
            await sleep(self._settings.fsync_s)
            await self.write_through()

    async def write_through(self) -> None:
        """What was appended until now."""
        await self._files.write_through()
        self._free()

    def close(self) -> None:
        """Let go of the folder: it is gone if all is in the database, else it waits for the next router."""
        self._files.close()
        if not self.pending and not self._under_way:
            try:
                self._home.delete()
            except OSError as error:
                logger.warning("ledger: the empty spool %s stays: %s", self._home.path, error.strerror)
            return
        if lost := self.in_memory:
            logger.error("ledger: %d bytes that the spool's disk did not take are LOST", lost)
        self._home.close()

    def _begin(self, generation: str, line: bytes) -> None:
        place = self._under_way[generation] = self._files.append(line)
        place.segment.opens += 1

    def _free(self) -> None:
        """Delete the oldest segments, as far as all that is in them is elsewhere."""
        while self._rows.is_done_with(oldest := self._files.segments[0]):
            if oldest.opens and not (self._files.is_well and self._carry(oldest)):
                return
            if oldest.carried_in_round is not None and not self._files.is_safe(oldest.carried_in_round):
                return
            self._files.delete_oldest()

    def _carry(self, oldest: Segment) -> bool:
        """Copy its beginnings of requests under way to the newest segment. False: they cannot be read."""
        try:
            lines = {each: place.read() for each, place in self._under_way.items() if place.segment is oldest}
        except OSError as error:
            self._rows.reading.failed(error)
            return False
        for generation, line in lines.items():
            self._begin(generation, line)
        oldest.opens = 0
        oldest.carried_in_round = self._files.round
        return True

    def _keep_bounds(self) -> None:
        """Drop the oldest, if that is what is wanted, until the rest is within the bound and the disk has room for it.

        Requests under way are not dropped with them, so there is an end to it.
        """
        if self._settings.when_full is WhenFull.DROP_OLDEST:
            for _ in range(len(self._files.segments)):
                if not self._is_too_large():
                    break
                self._drop_oldest()

    def _is_too_large(self) -> bool:
        settings, files = self._settings, self._files
        is_disk_short = files.writing.is_short_of_room and files.in_memory > settings.segment_bytes
        return files.size > settings.max_bytes or is_disk_short

    def _drop_oldest(self) -> None:
        oldest = self._files.segments[0]
        if oldest is self._files.segments[-1]:
            self._files.begin_segment()
        count, entries = self._rows.give_up_oldest()
        self._carry(oldest)
        self._files.delete_oldest()
        self._files.flush()  # there is room now, perhaps
        self.dropped += count
        logger.error("ledger: the spool is full, and the %d oldest rows in it are LOST", count)
        if entries:
            self.on_dropped(entries)


def _nobody_listens() -> None:
    pass


def _nobody_hears(entries: Sequence[Entry]) -> None:
    pass
