"""Brings the schema up to date: by whoever comes first, while the others wait.

Alembic's scripts in `migrations/versions` say how. They only add: a router of the version before goes on with the new
schema until it is replaced. A schema that is current is told by one statement, without importing Alembic.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from router.store.schema import REVISION

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x7472616D6F6E74  # "tramont", a number that no other program locks by chance


class SchemaUnknown(Exception):
    """The database was migrated by a router newer than this one, which cannot know what that means."""


async def migrate(connection: AsyncConnection, *, limit_s: float) -> None:
    """Within a transaction that will write, which ends by itself if it fails.

    Args:
        limit_s: for each statement, in place of the usual limit.

    Raises:
        SchemaUnknown: see there.
    """
    if connection.dialect.name == "postgresql":
        limit_ms = f"{limit_s * 1e3:.0f}"
        await connection.execute(
            text("SELECT set_config('statement_timeout', :ms, true), set_config('lock_timeout', :ms, true)"),
            {"ms": limit_ms},
        )
        # held to the end of the transaction. SQLite's BEGIN IMMEDIATE has already locked everybody out
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if await connection.run_sync(_revision) != REVISION:
        await connection.run_sync(_upgrade)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, REVISION)
    except CommandError as error:
        raise SchemaUnknown(f"the database's schema is newer than this router, which knows {REVISION}") from error
