"""Brings the schema up to date: by whoever comes first, while the others wait.

Alembic's scripts in `migrations/versions` say how. They only add, so that a router of the version before goes on with
the new schema, and may also start with it: in an upgrade's minutes, or after it was taken back. One that cannot but
change what older routers use says `BREAKS_OLDER = True`, and they refuse what it has made. The database itself holds
the list of revisions that can use it, as an older router cannot know what came after it.

A schema that is current is told by one statement, without importing Alembic.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from router.store.schema import REVISION, schema_readers

if TYPE_CHECKING:
    from alembic.script import Script

_SCRIPTS = Path(__file__).parent / "migrations"
# of a session, which the usual settings make short
_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
_LOCK = 0x7472616D6F6E74  # "tramont", a number that no other program locks by chance


class SchemaUnknown(Exception):
    """The database was migrated by a router newer than this one, in a way that older ones cannot live with."""


async def migrate(connection: AsyncConnection, *, limit_s: float) -> str:
    """Within a transaction that will write, which ends by itself if it fails.

    Args:
        limit_s: for each statement and for each pause between two, in place of the usual limits.

    Returns:
        The schema's revision: this version's, or a newer one that it can use.

    Raises:
        SchemaUnknown: see there.
    """
    if connection.dialect.name == "postgresql":
        limit_ms = f"{limit_s * 1e3:.0f}"
        await connection.execute(
            text("SELECT set_config(name, :ms, true) FROM unnest(CAST(:names AS text[])) AS name"),
            {"ms": limit_ms, "names": _LIMITS},
        )
        # held to the end of the transaction. SQLite's BEGIN IMMEDIATE has already locked everybody out
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = await connection.run_sync(_revision)
    if found == REVISION or (found is not None and await connection.run_sync(_is_reader)):
        return found
    await connection.run_sync(_upgrade)
    return REVISION


def readers(newest_first: "Iterable[Script]") -> list[str]:
    """The revisions whose routers can use the newest: back to the last one that broke those before it."""
    found: list[str] = []
    for script in newest_first:
        found.append(script.revision)
        if getattr(script.module, "BREAKS_OLDER", False):
            break
    return found


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _is_reader(connection: Connection) -> bool:
    if not inspect(connection).has_table(schema_readers.name):
        return False
    return connection.execute(select(schema_readers).where(schema_readers.c.revision == REVISION)).first() is not None


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, REVISION)
    except CommandError as error:
        raise SchemaUnknown(f"the database's schema is newer than this router, which knows {REVISION}") from error
    connection.execute(delete(schema_readers))
    able = readers(ScriptDirectory.from_config(config).walk_revisions())
    connection.execute(insert(schema_readers), [{"revision": revision} for revision in able])
