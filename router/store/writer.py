"""From the spool into the database: rows in batches, in order, each until it is there.

What can't be written now is tried again, with pauses that grow; meanwhile the spool holds what comes. All writing may
be repeated, because the database ignores ids that it has.

A row that the database refuses, though it takes others, must not hold those up: it is set aside. A database that
refuses every row of a batch is itself at fault (a table is missing, a right was withdrawn), and all rows wait until it
is mended. Rows that come meanwhile join the batch up to its size, so that a bad row that happens to be alone is told
apart as soon as there are others.

Rows of dead routers are written in the same batches, at most half of each.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from router.protocol.entry import Entry
from router.protocol.spool_line import encode
from router.store.away import DatabaseAway
from router.store.spool import Spool
from router.store.spool_adoption import Adoption
from router.store.spool_damaged import DamagedLog
from router.store.writer_apart import Ledger, write_apart
from router.store.writer_settings import WriterSettings

logger = logging.getLogger(__name__)


class _RefusesAll(Exception):
    """The database is there, and takes none of the rows."""


@dataclass(slots=True)
class _Batch:
    """What is being written: first rows of a dead router, then our own."""

    adopted: list[Entry] = field(default_factory=list)
    own: list[Entry] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        return self.adopted + self.own


class LedgerWriter:
    """One per router; `run` beside the requests, and longer.

    Args:
        spool: where rows come from; its events are listened to from now on.
        adoption: where rows of dead routers come from.
        ledger: where they go.
        damaged: where rows go that are refused.
        settings: how many, how often.
        adopt_s: seconds between looks for dead routers.
        wall_clock: unix seconds.
        rng: shortens pauses, so that routers do not all come back at once.
        on_written: hears of rows that are in the database now.
        on_dropped: hears of rows that never will be.
        sleep: pauses.
    """

    def __init__(
        self,
        spool: Spool,
        adoption: Adoption,
        ledger: Ledger,
        damaged: DamagedLog,
        settings: WriterSettings,
        *,
        adopt_s: float,
        wall_clock: Callable[[], float],
        rng: Random,
        on_written: Callable[[Sequence[Entry]], None],
        on_dropped: Callable[[Sequence[Entry]], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._spool = spool
        self._adoption = adoption
        self._ledger = ledger
        self._damaged = damaged
        self._settings = settings
        self._adopt_s = adopt_s
        self._wall_clock = wall_clock
        self._rng = rng
        self._on_written = on_written
        self._sleep = sleep
        self._batch = _Batch()
        self._wake = asyncio.Event()
        self._trouble = ""
        self.written = 0  # rows, since the start
        self.refused = 0  # rows that were set aside
        self.failures = 0  # of writes, because the database was away or refused everything
        self.is_away = False  # the database, when it was last spoken to
        self._on_dropped = on_dropped
        spool.on_closed = self._closed
        spool.on_dropped = self._dropped

    @property
    def oldest_s(self) -> float:
        """Seconds since the end of the oldest request that waits to be written; those before their first try: 0."""
        if not self._batch.own:
            return 0.0
        oldest = self._batch.own[0]
        return max(0.0, self._wall_clock() - oldest.created - (oldest.duration_ms or 0) / 1e3)

    async def run(self) -> None:
        """Write until cancelled, then what is left, as far as there is time. The spool is to be closed after that.

        Once nobody can be served any more: what is closed later waits for the next router.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_adopting())
                group.create_task(self._spool.keep_written_through())
                group.create_task(self._keep_writing())
        finally:
            try:
                await self._drain()
            finally:
                self._adoption.close()

    def _closed(self) -> None:
        if self._spool.untaken >= self._settings.batch:
            self._wake.set()

    def _dropped(self, entries: Sequence[Entry]) -> None:
        _tell(self._on_dropped, entries)

    async def _keep_adopting(self) -> None:
        while True:
            await self._adoption.look()
            if self._adoption.waiting:
                self._wake.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._adopt_s):
                    await self._adoption.has_room.wait()

    async def _keep_writing(self) -> None:
        pause_s = self._settings.backoff_s
        while True:
            self._spool.tend()
            await self._fill()
            try:
                await self._write()
            except (DatabaseAway, _RefusesAll) as error:
                self._failed(error)
                await self._sleep(pause_s * (1 - self._rng.random() / 2))
                pause_s = min(2 * pause_s, self._settings.backoff_max_s)
            else:
                pause_s = self._settings.backoff_s
                await self._wait()

    async def _wait(self) -> None:
        """Until a batch is full, or rows have waited for long enough."""
        if self._spool.untaken < self._settings.batch and not self._adoption.waiting:
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.flush_s):
                    await self._wake.wait()

    async def _drain(self) -> None:
        with suppress(DatabaseAway, _RefusesAll, TimeoutError):
            async with asyncio.timeout(self._settings.drain_s):
                while self._batch.entries or self._spool.untaken:
                    self._fill_with_own()
                    await self._write()
        if self._spool.pending:
            logger.warning("ledger: %d rows wait on disk for the next router", self._spool.pending)

    async def _fill(self) -> None:
        if not self._batch.entries:
            self._batch.adopted = await self._adoption.take(self._settings.batch // 2)
        self._fill_with_own()

    def _fill_with_own(self) -> None:
        batch = self._batch
        batch.own += self._spool.take(self._settings.batch - len(batch.adopted) - len(batch.own))

    async def _write(self) -> None:
        """
        Raises:
            DatabaseAway: the batch is as it was.
            _RefusesAll: likewise.
        """
        batch = self._batch
        if not (entries := batch.entries):
            return
        refused = await write_apart(self._ledger, entries)
        good = [entry for entry in entries if entry.id not in refused]
        if not good:
            raise _RefusesAll(f"the database is there, but refuses every row ({next(iter(refused.values()))})")
        self._batch = _Batch()
        self._spool.done(len(batch.own))
        self._succeeded()
        self.written += len(good)
        _tell(self._on_written, good)
        if refused:
            self._set_aside([entry for entry in entries if entry.id in refused], refused)
        if batch.adopted:
            await self._adoption.done()

    def _set_aside(self, bad: Sequence[Entry], reasons: Mapping[str, str]) -> None:
        self.refused += len(bad)
        for entry in bad:
            self._damaged.add(encode(entry).rstrip(b"\n"), f"row {entry.id}, which is refused ({reasons[entry.id]}),")
        self._dropped(bad)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.is_away = isinstance(error, DatabaseAway)
        if str(error) != self._trouble:
            self._trouble = str(error)
            logger.error("ledger: rows wait in the spool: %s", error)

    def _succeeded(self) -> None:
        self.is_away = False
        if self._trouble:
            self._trouble = ""
            logger.warning("ledger: rows are written again; %d wait", self._spool.pending)


def _tell(listener: Callable[[Sequence[Entry]], None], entries: Sequence[Entry]) -> None:
    """A listener's mistake must not end the writing."""
    try:
        listener(entries)
    except Exception:
        logger.exception("ledger: a listener failed")
