"""The ledger as it lies in the database, read without the router's code."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg

COLUMNS = "id, status, completion_tokens, is_exact, cost, key, attempts"


async def rows(url: str) -> list[dict[str, Any]]:
    """All of them."""
    if url.startswith("sqlite:///"):
        return await asyncio.to_thread(_sqlite, Path(url.removeprefix("sqlite:///")))
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(f"SELECT {COLUMNS} FROM generations")]
    finally:
        await connection.close()


def _sqlite(path: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(path)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT {COLUMNS} FROM generations")]
    finally:
        connection.close()
