"""The writer on real databases, and on a PostgreSQL that goes away under it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from router.protocol.entry import Entry
from router.store.database import open_database
from router.store.ledger import LedgerStore
from router.store.settings import DatabaseSettings
from router.store.spool import Spool
from router.store.spool_adoption import Adoption
from router.store.spool_damaged import DamagedLog
from router.store.sums import SumStore
from router.store.writer import LedgerWriter
from router.store.writer_settings import WriterSettings
from tests.postgres import Postgres
from tests.router.store.spool_support import entry, ids, opened, request, spool

HASTY = DatabaseSettings(connect_s=1.0, statement_s=0.5, call_s=1.0)


class World:
    """A spool whose rows go into a real database; knows when they are there."""

    def __init__(self, directory: Path, spool: Spool, ledger: LedgerStore, sums: SumStore) -> None:
        self.spool = spool
        self.sums = sums
        self.written: list[str] = []
        self.retired: list[str] = []
        self.changed = asyncio.Event()
        damaged = DamagedLog(directory, "boot")
        self.writer = LedgerWriter(
            spool,
            Adoption(directory, damaged, on_retired=self._retire),
            ledger,
            damaged,
            WriterSettings(batch=50, flush_s=0.005, backoff_s=0.01, backoff_max_s=0.1),
            adopt_s=60.0,
            wall_clock=lambda: 0.0,
            rng=Random(1),
            on_written=self._note,
            on_dropped=lambda rows: None,
            sleep=self._pause,
        )

    async def until_written(self, count: int) -> None:
        await self._until(lambda: len(self.written) >= count)

    async def until_away(self) -> None:
        await self._until(lambda: self.writer.is_away)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():
                self.changed.clear()
                await self.changed.wait()

    async def until_retired(self, count: int) -> None:
        await self._until(lambda: len(self.retired) >= count)

    def _retire(self, boot: str) -> None:
        self.retired.append(boot)
        self.changed.set()

    async def _pause(self, seconds: float) -> None:
        self.changed.set()
        await asyncio.sleep(seconds)

    def _note(self, rows: Sequence[Entry]) -> None:
        self.written += ids(rows)
        self.changed.set()


@contextlib.asynccontextmanager
async def world(directory: Path, url: str, boot: str = "boot") -> AsyncIterator[World]:
    with spool(directory, boot=boot, segment_bytes=65_536, max_bytes=64 * 65_536) as made:
        async with open_database(url, HASTY) as database:
            it = World(directory, made, LedgerStore(database), SumStore(database))
            running = asyncio.create_task(it.writer.run())
            try:
                yield it
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


async def rows_of(url: str) -> tuple[int, int]:
    """How many, and how many are exact."""
    async with open_database(url) as database:
        sums = await SumStore(database).by_pool()
        assert [] == await SumStore(database).differences()
        return sum(each.rows for each in sums), sum(each.rows for each in sums if each.is_exact)


def test_rows_get_into_the_database_and_a_dead_routers_too(tmp_path: Path, url: str) -> None:
    async def main() -> None:
        directory = tmp_path / "spool"
        with spool(directory, boot="dead") as dead:
            dead.opened(opened(9_999))
            request(dead, *range(1_000, 1_300))
        async with world(directory, url) as it:
            request(it.spool, *range(300))
            await it.until_written(601)
            await it.until_retired(1)
        assert [f"gen-{number}" for number in range(300)] == [name for name in it.written if len(name) < 8]
        assert (601, 600) == await rows_of(url)
        assert not any(directory.iterdir())

    asyncio.run(main())


@pytest.mark.parametrize("fault", ["stop", "kill", "pause"])
def test_nothing_is_lost_while_postgresql_is_away(tmp_path: Path, cluster: Postgres, fault: str) -> None:
    async def main() -> None:
        url = cluster.create()
        directory = tmp_path / "spool"
        async with world(directory, url) as it:
            request(it.spool, *range(100))
            await it.until_written(100)
            await asyncio.to_thread(getattr(cluster, fault))
            try:
                request(it.spool, *range(100, 2_000))
                await it.until_away()
                assert it.spool.has_room
                request(it.spool, *range(2_000, 2_500))
            finally:
                await asyncio.to_thread(cluster.resume if fault == "pause" else cluster.start)
            await it.until_written(2_500)
        assert [f"gen-{number}" for number in range(2_500)] == it.written
        assert (2_500, 2_500) == await rows_of(url)
        cluster.drop(url)
        assert not any(directory.iterdir())

    asyncio.run(main())


def test_what_is_written_twice_counts_once(tmp_path: Path, url: str) -> None:
    async def main() -> None:
        directory = tmp_path / "spool"
        for boot in ("one", "two"):  # as if an heir had died before it could delete what it had written
            with spool(directory, boot=boot) as dead:
                request(dead, *range(100))
        async with world(directory, url) as it:
            await it.until_retired(2)
        assert (100, 100) == await rows_of(url)
        assert entry(7).id in it.written

    asyncio.run(main())
