"""The schema is brought up to date once, whoever comes first and however many come at once."""

import ast
import asyncio
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from router.store import migrate
from router.store.database import open_database
from router.store.migrate import SchemaUnknown, readers
from router.store.schema import REVISION, schema_readers
from tests.postgres import Postgres
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


def test_a_migration_has_its_own_time_for_statements_locks_and_pauses(cluster: Postgres) -> None:
    """The usual limits are a caller's, who does not wait while Alembic is imported on a busy machine."""

    async def main(url: str) -> None:
        async with open_database(url) as database:
            await database.migrate()
            async with database.reading() as connection:
                assert ["5s", "4s", "10s"] == await limits(connection)
                await migrate.migrate(connection, limit_s=90)
                assert ["90s"] * 3 == await limits(connection)

    async def limits(connection: AsyncConnection) -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return [(await connection.execute(text(f"SHOW {name}"))).scalar_one() for name in names]

    asyncio.run(main(cluster.create()))


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


FUTURE = "from the future"


async def come_from_the_future(url: str, *readers: str) -> None:
    """Leave the schema as a newer version would that these revisions can live with."""
    async with open_database(url, PATIENT) as database, database.writing() as connection:
        await connection.execute(text(f"UPDATE alembic_version SET version_num = '{FUTURE}'"))
        await connection.execute(delete(schema_readers))
        await connection.execute(insert(schema_readers), [{"revision": each} for each in (FUTURE, *readers)])


def test_a_schema_of_a_newer_router_is_used_if_that_says_so(url: str) -> None:
    async def use(stores: Stores) -> None:
        assert FUTURE == await stores.database.migrate()
        assert ["default"] == [each.id for each in await stores.workspaces.page()]
        async with stores.database.reading() as connection:
            assert FUTURE == (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()

    asyncio.run(come_from_the_future(url, REVISION))
    with_stores(url, use)


def test_a_schema_that_a_newer_router_has_broken_for_others_is_refused(url: str) -> None:
    async def main() -> None:
        await come_from_the_future(url)
        async with open_database(url, PATIENT) as database:
            with pytest.raises(SchemaUnknown, match="newer than this router"):
                await database.migrate()

    asyncio.run(main())


def test_all_revisions_that_only_added_can_use_what_they_made(url: str) -> None:
    async def use(stores: Stores) -> None:
        async with stores.database.reading() as connection:
            found = (await connection.execute(select(schema_readers.c.revision))).scalars()
            assert {script.revision for script in scripts()} == set(found)

    with_stores(url, use)


def test_a_migration_that_breaks_older_routers_ends_the_list_of_readers() -> None:
    def script(revision: str, **module: bool) -> SimpleNamespace:
        return SimpleNamespace(revision=revision, module=SimpleNamespace(**module))

    history = [script("4"), script("3", BREAKS_OLDER=True), script("2"), script("1")]
    assert ["4", "3"] == readers(cast(Iterable[Script], history))


def test_migrations_only_add_unless_they_say_that_they_break_older_routers() -> None:
    """Rows that an older router writes lack what it does not know, so a column needs a default or may be empty."""
    for script in list(scripts())[:-1]:
        tree = ast.parse(Path(script.path).read_text())
        if getattr(script.module, "BREAKS_OLDER", False):
            continue
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            words = ast.unparse(call.func)
            assert not words.startswith("op.") or words in {"op.create_table", "op.create_index", "op.add_column"}, (
                words
            )
            if words == "op.add_column":
                column = ast.unparse(call.args[1])
                assert "nullable=False" not in column or "server_default=" in column, column


def scripts() -> Iterable[Script]:
    """Newest first."""
    return ScriptDirectory(str(migrate._SCRIPTS)).walk_revisions()


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
