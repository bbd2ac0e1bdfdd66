"""The tables, the migrations that make them, and the values that go into them say the same."""

import msgspec
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from router.protocol.entry import Entry
from router.store import migrate
from router.store.schema import METADATA, REVISION, generations
from tests.router.store.support import Stores, with_stores


def test_the_migrations_make_the_tables_of_the_schema(url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async def use(stores: Stores) -> None:
        async with stores.database.reading() as connection:
            assert [] == await connection.run_sync(differences)

    with_stores(url, use)


def test_the_schema_names_the_latest_migration() -> None:
    assert [REVISION] == ScriptDirectory(str(migrate._SCRIPTS)).get_heads()


def test_the_ledger_has_a_column_for_each_field_of_an_entry() -> None:
    assert {"day", *msgspec.structs.asdict(_ENTRY)} == set(generations.c.keys())


_ENTRY = Entry(id="", created=0.0, router="", key="", workspace="", kind="", status="")
