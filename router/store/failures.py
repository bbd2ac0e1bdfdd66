"""Which errors say that the database is away, and which that somebody made a mistake."""

import sqlite3

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATEs, and whole classes of them (PostgreSQL's appendix A), that time or an operator cures
_STATES = {
    "08": "the connection failed",
    "25006": "it takes no writes",  # a standby, after a failover
    "25P03": "it was left idle for too long",
    "28": "it does not let us in",
    "3D": "it is not there",
    "40": "it was interrupted by others",  # deadlock, serialisation
    "53": "it is full",
    "55": "a lock was not to be had",
    "57": "it was interrupted",  # shutdown, crash, statement_timeout
    "58": "its disk failed",
    "XX": "it is damaged",
}
# SQLite's primary result codes
_CODES = {
    sqlite3.SQLITE_BUSY: "it is locked by others",
    sqlite3.SQLITE_LOCKED: "it is locked by others",
    sqlite3.SQLITE_READONLY: "it takes no writes",
    sqlite3.SQLITE_IOERR: "its disk failed",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_FULL: "it is full",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
    sqlite3.SQLITE_NOTADB: "its file is no database",
    sqlite3.SQLITE_INTERRUPT: "it was interrupted",
}


def why_away(error: BaseException) -> str | None:
    """In a few words without any value; None: it is there, and somebody made a mistake."""
    match error:
        case PoolTimeout():
            return "all connections are in use"
        case TimeoutError():
            return "it does not answer in time"
        case DBAPIError(connection_invalidated=True):
            return "the connection broke"
        case DBAPIError(orig=BaseException() as original):
            return why_away(original)
        case sqlite3.Error():
            return _CODES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        case asyncpg.PostgresError() | asyncpg.InterfaceError():
            return _by_sqlstate(error)
        case OSError():
            return "it cannot be reached"
        case _:
            return _by_sqlstate(error)


def _by_sqlstate(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _STATES.get(state) or _STATES.get(state[:2])
    # asyncpg's own words for a connection that went away beneath it carry no state
    is_lost = any(isinstance(each, (OSError, asyncpg.InterfaceError)) for each in (error, error.__cause__))
    return "the connection broke" if is_lost else None
