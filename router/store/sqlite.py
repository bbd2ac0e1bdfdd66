"""SQLite: a file for one router or a few on one machine.

Write-ahead logging lets everybody read while one writes. Every commit reaches the disk (`synchronous=FULL`): the spool
forgets what the database has. A transaction that will write says so at its beginning (`BEGIN IMMEDIATE`), because one
that finds out later may be refused without being allowed to wait.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from router.store.settings import DatabaseSettings

WRITES = "tramontane_writes"  # the execution option that says so


class _Connection(sqlite3.Connection):
    """Somebody may still hold the cursor of a statement that was interrupted: it would keep its locks after `close`."""

    def close(self) -> None:
        self.rollback()
        super().close()


@asynccontextmanager
async def engine(path: Path, settings: DatabaseSettings) -> AsyncIterator[AsyncEngine]:
    """Makes the file, which nobody else may read, and the directories above it, if they are not there."""
    opened: set[aiosqlite.Connection] = set()

    async def connect() -> aiosqlite.Connection:
        _make(path)
        # isolation_level None: the driver begins no transactions by itself
        connection = aiosqlite.connect(path, isolation_level=None, check_same_thread=False, factory=_Connection)
        opened.difference_update([each for each in opened if not each._thread.is_alive()])
        try:
            opened.add(await connection)
            await connection.executescript(
                f"PRAGMA busy_timeout={settings.statement_s * 1e3:.0f};"
                "PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=FULL;"
                "PRAGMA foreign_keys=ON;"
            )
        except BaseException:
            opened.add(connection)
            connection.stop()
            raise
        return connection

    made = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=connect,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=settings.connections,
        max_overflow=0,
        pool_timeout=settings.wait_s,
        hide_parameters=True,
    )
    event.listen(made.sync_engine, "begin", _begin)
    try:
        yield made
    finally:
        await made.dispose()
        # a connection's thread still answers to this loop, also one whose caller was cancelled
        for connection in opened:
            if connection._thread.is_alive():
                connection.stop()
                await asyncio.to_thread(connection._thread.join, settings.statement_s)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make(path: Path) -> None:
    """SQLite gives the files beside it the same mode.

    A file that is there is never opened here: closing it would take away the locks that this process's connections have
    on it (POSIX), and whoever looks into the database from outside would then delete the log from under them.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
