"""The schema is brought up to date once, whoever comes first and however many come at once."""

import asyncio
import subprocess
import sys

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from router.store import migrate
from router.store.database import open_database
from router.store.migrate import SchemaUnknown
from tests.router.store.support import NOW, PATIENT, Stores, entry, with_stores

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


def test_rows_of_the_version_before_are_read_and_it_may_go_on_writing(url: str) -> None:
    def old_schema(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(migrate._SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    async def make_old() -> None:
        async with open_database(url, PATIENT) as database, database._begun(writes=True) as connection:
            await connection.run_sync(old_schema)
            await connection.execute(text(OLD_ROW), {"id": "gen-1", "created": NOW})

    async def use(stores: Stores) -> None:
        assert entry(1) == await stores.ledger.find("gen-1")
        async with stores.database.writing() as connection:
            await connection.execute(text(OLD_ROW), {"id": "gen-2", "created": NOW})
        assert entry(2) == await stores.ledger.find("gen-2")

    asyncio.run(make_old())
    with_stores(url, use)


OLD_ROW = """
INSERT INTO generations (id, created, day, router, key, workspace, kind, streamed, requested, model, provider, pool,
  status, prompt_tokens, cached_tokens, completion_tokens, image_tokens, is_exact, cost, attempts)
VALUES (:id, :created, 0, 'r1', 'k', 'default', 'chat', false, '', '', '', '', 'ok', 0, 0, 0, 0, true, 1000000, 0)
"""
