"""The database as the stores see it: transactions that end in time, and one exception for everything that time cures.

A store's method is one transaction. It is safe to cancel, and safe to repeat: each either happened or did not, and
writing says what ought to be there, not what to add (rows of the ledger have ids, amounts of leases are stated whole).

The schema is brought up to date before the first transaction, by whoever needs it first: a router starts also when its
database is away.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy import ColumnElement, Float, Table, func, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from router.store import postgres as postgresql_engine
from router.store import sqlite as sqlite_engine
from router.store.away import DatabaseAway
from router.store.failures import why_away
from router.store.migrate import migrate
from router.store.settings import DEFAULTS, DatabaseSettings
from router.store.url import DatabaseUrl, Kind, parse

_CLOCKS = {
    # not now(), which stands still while a transaction waits for a lock
    Kind.POSTGRESQL: func.extract("epoch", func.clock_timestamp()).cast(Float(53)),
    # days since noon on 24 November 4714 BC, and what they were in 1970
    Kind.SQLITE: literal_column("(julianday('now') - 2440587.5) * 86400.0", Float(53)),
}

Insert = postgresql.Insert | sqlite.Insert


class Database:
    """Made by `open_database`."""

    def __init__(self, url: DatabaseUrl, settings: DatabaseSettings, engine: AsyncEngine) -> None:
        self._url = url
        self._settings = settings
        self._engine = engine
        self._revision: str | None = None  # of the schema, once it is known to be one for this version
        self._migrating = asyncio.Lock()
        # SQLite lets those who wait to write poll; within one process they can stand in line
        self._writing = asyncio.Lock() if url.kind is Kind.SQLITE else None

    def __repr__(self) -> str:
        return f"Database({self._url})"

    @property
    def clock(self) -> ColumnElement[float]:
        """Unix seconds by the database's own clock: the only one that all routers share."""
        return _CLOCKS[self._url.kind]

    def insert(self, table: Table) -> Insert:
        """One that may say what to do about a conflict."""
        return postgresql.insert(table) if self._url.kind is Kind.POSTGRESQL else sqlite.insert(table)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that changes nothing.

        Raises:
            DatabaseAway: from any statement within, and from its end.
        """
        return self._transaction(writes=False)

    async def freeze(self, connection: AsyncConnection) -> None:
        """At the beginning of a transaction: all its statements see the database as it is at the first of them."""
        if self._url.kind is Kind.POSTGRESQL:  # SQLite's always do
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that is committed at its end, or leaves nothing behind.

        Raises:
            DatabaseAway: from any statement within, and from its end.
        """
        return self._transaction(writes=True)

    async def migrate(self) -> str:
        """Bring the schema up to date; whoever else wants to, in this process or another, waits meanwhile.

        Returns:
            Its revision: this version's, or a newer one that it can use.

        Raises:
            DatabaseAway: as its name says.
            SchemaUnknown: a newer router has been here, and older ones cannot live with what it did.
        """
        async with self._migrating:
            if self._revision is None:
                async with self._border(self._settings.migrate_s), self._begun(writes=True) as connection:
                    revision = await migrate(connection, limit_s=self._settings.migrate_s)
                self._revision = revision
            return self._revision

    @asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        if self._revision is None:
            await self.migrate()
        async with self._border(self._settings.call_s), self._begun(writes) as connection:
            yield connection

    @asynccontextmanager
    async def _begun(self, writes: bool) -> AsyncIterator[AsyncConnection]:
        if writes and self._writing is not None:
            async with self._writing, self._connected(writes) as connection:
                yield connection
        else:
            async with self._connected(writes) as connection:
                yield connection

    @asynccontextmanager
    async def _connected(self, writes: bool) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            await connection.execution_options(**{sqlite_engine.WRITES: writes})
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def _border(self, limit_s: float) -> AsyncIterator[None]:
        """What the driver and its wrapper say is translated here, once."""
        try:
            async with asyncio.timeout(limit_s):
                yield
        except Exception as error:
            reason = why_away(error)
            if reason is None:
                raise
            # the cause may hold addresses and values, so it is not shown
            raise DatabaseAway(f"the database is away: {reason}") from None


@asynccontextmanager
async def open_database(url: str, settings: DatabaseSettings = DEFAULTS) -> AsyncIterator[Database]:
    """Connections are made when they are needed, and are closed at the end.

    Raises:
        ValueError: the URL is of no known form.
    """
    parsed = parse(url)
    if parsed.path is not None:
        opened = sqlite_engine.engine(parsed.path, settings)
    else:
        opened = postgresql_engine.engine(parsed.text, settings)
    async with opened as engine:
        yield Database(parsed, settings, engine)
