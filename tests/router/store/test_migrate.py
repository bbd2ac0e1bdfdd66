"""The schema is brought up to date once, whoever comes first and however many come at once."""

import asyncio
import subprocess
import sys

import pytest
from sqlalchemy import text

from router.store.database import open_database
from router.store.migrate import SchemaUnknown
from tests.router.store.support import PATIENT, Stores, with_stores

MIGRATE = """
import asyncio, sys
from router.store.database import open_database
async def main():
    async with open_database(sys.argv[1]) as database:
        sys.stdin.readline()
        await database.migrate()
        print("alembic" in sys.modules)
asyncio.run(main())
"""


def start(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MIGRATE, url]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_empty_database_gets_the_schema_and_the_default_workspace(url: str) -> None:
    async def use(stores: Stores) -> None:
        assert ["default"] == [each.id for each in await stores.workspaces.page()]

    with_stores(url, use)
    with_stores(url, use)  # the second time there is nothing to do


def test_processes_that_migrate_at_the_same_time_all_find_the_schema(url: str) -> None:
    processes = [start(url) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            _, error = process.communicate(timeout=60)
            assert 0 == process.returncode, error
    finally:
        for process in processes:
            process.kill()
            process.communicate()

    async def use(stores: Stores) -> None:
        assert ["default"] == [each.id for each in await stores.workspaces.page()]

    with_stores(url, use)


def test_a_current_schema_is_told_without_alembic(url: str) -> None:
    with_stores(url, lambda stores: stores.database.migrate())
    process = start(url)
    assert ("False\n", "") == process.communicate("go\n", timeout=60)


def test_calls_that_come_before_the_schema_is_there_wait_for_it(url: str) -> None:
    async def use(stores: Stores) -> None:
        found = await asyncio.gather(*(stores.keys.find(["a"]) for _ in range(5)))
        assert [{}] * 5 == found

    with_stores(url, use)


def test_a_schema_of_a_newer_router_is_refused(url: str) -> None:
    async def main() -> None:
        async with open_database(url, PATIENT) as database, database.writing() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
        async with open_database(url, PATIENT) as database:
            with pytest.raises(SchemaUnknown, match="newer than this router"):
                await database.migrate()

    asyncio.run(main())
