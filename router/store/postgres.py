"""PostgreSQL: for several routers, and for production."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from router.store.settings import DatabaseSettings


@asynccontextmanager
async def engine(url: str, settings: DatabaseSettings) -> AsyncIterator[AsyncEngine]:
    """The URL goes to the driver alone: it knows all that libpq does, and here nobody can print its password."""
    statement_ms = f"{settings.statement_s * 1e3:.0f}"

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            url,
            timeout=settings.connect_s,
            server_settings={
                "application_name": "tramontane",
                "statement_timeout": statement_ms,
                "lock_timeout": f"{settings.statement_s * 0.8e3:.0f}",  # first, so that the reason is told
                # of a router that hangs, or whose machine is gone: what it has locked is free again
                "idle_in_transaction_session_timeout": f"{settings.call_s * 1e3:.0f}",
                "jit": "off",  # compiling takes longer than any of these statements
            },
        )

    made = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=settings.connections,
        max_overflow=0,
        pool_timeout=settings.wait_s,
        pool_recycle=settings.recycle_s,
        pool_pre_ping=True,  # after a restart the first caller would find a dead connection
        hide_parameters=True,
    )
    try:
        yield made
    finally:
        await made.dispose()
