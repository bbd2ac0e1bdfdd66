"""The database is away, hangs, is full or is locked: every call says so in time, and works again afterwards."""

import asyncio
import gc
import os
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from router.policy.key import Key
from router.policy.lending import Grant, Want
from router.store.away import DatabaseAway
from router.store.database import Database, open_database
from router.store.settings import DatabaseSettings
from tests.cancelling import CancelAt
from tests.postgres import Postgres
from tests.router.store.support import PATIENT, Stores, entry, lifetime, with_stores

HASTY = DatabaseSettings(connections=2, connect_s=1.0, wait_s=0.5, statement_s=1.0, call_s=1.5)
FEW = DatabaseSettings(connections=2, statement_s=20, call_s=30)
CLOSING_S = 2.0  # that a connection which hangs is given to be closed
SLACK_S = 3.0  # of a busy machine


async def one(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(text("SELECT 1"))).scalar_one())


async def write(stores: Stores, n: int) -> int:
    return await stores.ledger.write([entry(n), entry(f"{n}-b", key="other")])


async def borrow(stores: Stores, n: int) -> list[Grant]:
    return await stores.leases.borrow("r1", [Want(lifetime(), 10**9, 1, n)], 60)


async def find(stores: Stores, n: int) -> dict[str, Key]:
    return await stores.keys.find([str(n)])


@pytest.fixture
def fault_url(cluster: Postgres) -> str:
    """Whatever the test does to the cluster, it is there for the next one."""
    return cluster.create()


@pytest.mark.parametrize("fault", ["stop", "kill"])
def test_a_server_that_is_gone_is_away_at_once_and_back_when_it_is(
    cluster: Postgres, fault_url: str, fault: str
) -> None:
    async def main() -> None:
        async with open_database(fault_url) as database:
            stores = Stores(database)
            assert 1 == await stores.ledger.write([entry(1)])
            getattr(cluster, fault)()
            try:
                began = time.monotonic()
                for call in (stores.ledger.write([entry(2)]), stores.keys.find(["k"]), stores.leases.renew("r1", 60)):
                    with pytest.raises(DatabaseAway):
                        await call
                assert SLACK_S > time.monotonic() - began
            finally:
                cluster.start()
            assert 1 == await stores.ledger.write([entry(1), entry(2)])

    asyncio.run(main())


def test_a_router_starts_without_its_database_and_migrates_it_when_it_is_there(
    cluster: Postgres, fault_url: str
) -> None:
    async def main() -> None:
        cluster.stop()
        try:
            async with open_database(fault_url) as database:
                with pytest.raises(DatabaseAway):
                    await database.migrate()
                cluster.start()
                assert {} == await Stores(database).keys.find(["k"])
        finally:
            if not cluster.is_running:
                cluster.start()

    asyncio.run(main())


def test_a_server_that_hangs_is_away_in_time(cluster: Postgres, fault_url: str) -> None:
    async def main() -> None:
        async with open_database(fault_url, HASTY) as database:
            assert 1 == await one(database)
            cluster.pause()
            try:
                began = time.monotonic()
                answers = await asyncio.gather(*(one(database) for _ in range(6)), return_exceptions=True)
                assert {DatabaseAway} == {type(answer) for answer in answers}
                assert HASTY.call_s + CLOSING_S + SLACK_S > time.monotonic() - began
            finally:
                cluster.resume()
            assert 1 == await one(database)

    asyncio.run(main())


def test_a_statement_that_is_too_slow_is_ended_by_the_server(cluster: Postgres, fault_url: str) -> None:
    async def main() -> None:
        async with open_database(fault_url, HASTY) as database:
            with pytest.raises(DatabaseAway, match="the database is away: it was interrupted"):
                async with database.reading() as connection:
                    await connection.execute(text("SELECT pg_sleep(60)"))
            assert "0" == cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")

    asyncio.run(main())


def test_who_waits_too_long_for_a_connection_is_told_so(url: str) -> None:
    async def main() -> None:
        async with open_database(url, HASTY) as database:
            await database.migrate()
            async with database.reading(), database.reading():
                with pytest.raises(DatabaseAway, match="the database is away: all connections are in use"):
                    await one(database)
            assert 1 == await one(database)

    asyncio.run(main())


def test_a_row_that_is_locked_for_too_long_is_away(url: str) -> None:
    """Locked by another process, as another router's or an operator's."""

    async def main() -> None:
        async with open_database(url) as mine, open_database(url, HASTY) as theirs:
            await mine.migrate()
            await theirs.migrate()
            async with mine.writing() as connection:
                await connection.execute(text("UPDATE workspaces SET name = name"))
                with pytest.raises(DatabaseAway, match="lock"):
                    async with theirs.writing() as blocked:
                        await blocked.execute(text("UPDATE workspaces SET name = name"))
            assert 1 == await one(theirs)

    asyncio.run(main())


@pytest.mark.parametrize("call", [write, borrow, find])
def test_a_call_that_is_cancelled_at_any_await_gives_its_connection_back(
    url: str, call: Callable[[Stores, int], Awaitable[object]]
) -> None:
    async def main() -> None:
        async with open_database(url, FEW) as database:
            stores = Stores(database)
            await database.migrate()
            n, was_cancelled = 0, True
            while was_cancelled:
                n += 1
                at = CancelAt(call(stores, n), n)
                try:
                    await at
                except asyncio.CancelledError:
                    assert asyncio.current_task().uncancel() == 0  # type: ignore[union-attr]
                was_cancelled = at.was_cancelled
            assert n > 5
            # all of them are free: as many as there are at the same time
            assert [1] * FEW.connections == await asyncio.gather(*(one(database) for _ in range(FEW.connections)))
            assert [] == await stores.sums.differences()

    asyncio.run(main())


def test_what_failed_half_way_left_nothing(url: str) -> None:
    class Whoops(Exception):
        pass

    async def fail(database: Database) -> None:
        async with database.writing() as connection:
            await connection.execute(text("UPDATE workspaces SET name = 'changed'"))
            raise Whoops

    async def main() -> None:
        async with open_database(url, PATIENT) as database:
            with pytest.raises(Whoops):
                await fail(database)
            assert ["Default"] == [each.name for each in await Stores(database).workspaces.page()]

    asyncio.run(main())


def test_a_mistake_of_ours_is_not_taken_for_the_databases(url: str) -> None:
    async def main() -> None:
        async with open_database(url, PATIENT) as database, database.reading() as connection:
            await connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(Exception, match="nowhere") as caught:
        asyncio.run(main())
    assert not isinstance(caught.value, DatabaseAway)


def test_both_clocks_tell_the_time(url: str) -> None:
    async def use(stores: Stores) -> None:
        async with stores.database.reading() as connection:
            assert abs(time.time() - await stores.leases._now(connection)) < SLACK_S

    with_stores(url, use)


def test_sqlites_files_are_its_owners_alone(tmp_path: Path) -> None:
    modes: list[tuple[str, int]] = []

    def files() -> list[Path]:
        return sorted(tmp_path.glob("deep/er/*"))

    async def use(stores: Stores) -> None:
        await stores.ledger.write([entry(1)])
        modes.extend((each.name, stat.S_IMODE(each.stat().st_mode)) for each in files())

    before = os.umask(0)
    try:
        with_stores(f"sqlite:///{tmp_path}/deep/er/router.db", use)
    finally:
        os.umask(before)
    assert [("router.db", 0o600), ("router.db-shm", 0o600), ("router.db-wal", 0o600)] == modes


COUNT = (
    "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM generations').fetchone()[0])"
)


def test_who_looks_into_sqlites_file_from_outside_takes_nothing_away(tmp_path: Path) -> None:
    """The last to leave a database deletes its log, and knows by the locks whether it is the last."""
    path = tmp_path / "a.db"

    def seen() -> str:
        command = [sys.executable, "-c", COUNT, str(path)]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    async def main() -> None:
        async with open_database(f"sqlite:///{path}", PATIENT) as database:
            await database.migrate()
            async with database.reading(), database.reading():  # more than one connection
                pass
            counted = []
            for number in range(3):
                counted.append(await asyncio.to_thread(seen))
                await Stores(database).ledger.write([entry(number)])
            assert ["0", "1", "2"] == counted
            assert path.with_name("a.db-wal").exists()

    asyncio.run(main())


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 20])
def test_a_file_that_is_no_database_is_away(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "router.db").write_bytes(content)

    async def use(stores: Stores) -> None:
        with pytest.raises(DatabaseAway, match="its file is no database"):
            await stores.keys.find(["k"])

    with_stores(f"sqlite:///{tmp_path}/router.db", use)


def test_no_password_is_shown_anywhere(cluster: Postgres) -> None:
    url = f"postgresql://tests:hunter2secret@127.0.0.1:{cluster.port}/not-there"

    async def main() -> None:
        async with open_database(url) as database:
            with pytest.raises(DatabaseAway) as caught:
                await one(database)
            shown = [repr(database), repr(caught.value), str(caught.value), repr(caught.value.__cause__)]
            assert not [each for each in shown if "hunter2secret" in each]

    asyncio.run(main())


def test_nothing_is_left_open(url: str) -> None:
    """An unclosed connection would be a warning, and so a failure."""
    with_stores(url, lambda stores: one(stores.database))
    gc.collect()
