"""Which errors say that the database is away."""

import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from router.store.failures import why_away


def state(sqlstate: str) -> BaseException:
    return asyncpg.PostgresError.new({"C": sqlstate, "M": "secret words"})


def code(number: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("secret words")
    error.sqlite_errorcode = number
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PoolTimeout(), "all connections are in use"),
        (TimeoutError(), "it does not answer in time"),
        (ConnectionRefusedError("127.0.0.1"), "it cannot be reached"),
        (OperationalError("SELECT", {}, ConnectionResetError()), "it cannot be reached"),
        (OperationalError("SELECT", {}, Exception(), connection_invalidated=True), "the connection broke"),
        (state("57P03"), "it was interrupted"),
        (state("53300"), "it is full"),
        (state("40P01"), "it was interrupted by others"),
        (state("55P03"), "a lock was not to be had"),
        (state("25006"), "it takes no writes"),
        (state("28P01"), "it does not let us in"),
        (asyncpg.InterfaceError("connection is closed"), "the connection broke"),
        (code(sqlite3.SQLITE_BUSY), "it is locked by others"),
        (code(sqlite3.SQLITE_BUSY_SNAPSHOT), "it is locked by others"),
        (code(sqlite3.SQLITE_FULL), "it is full"),
        (OperationalError("INSERT", {}, code(sqlite3.SQLITE_IOERR_WRITE)), "its disk failed"),
    ],
)
def test_what_time_or_an_operator_cures_is_away(error: BaseException, words: str) -> None:
    assert words == why_away(error)


@pytest.mark.parametrize(
    "error",
    [
        state("42P01"),
        state("25P02"),
        state("22003"),
        state("23505"),
        code(sqlite3.SQLITE_ERROR),
        code(sqlite3.SQLITE_CONSTRAINT_UNIQUE),
        ProgrammingError("SELECT", {}, state("42P01")),
        ValueError("of ours"),
    ],
)
def test_mistakes_are_not(error: BaseException) -> None:
    assert why_away(error) is None
