"""Connections to endpoints: kept for the next request, and one more try when a kept one turns out to be closed.

A kept connection can be closed by the server in the moment it is used again (uvicorn does so after 5 s of idling).
That is no fault of the endpoint, so a request to which a *kept* connection gave no byte of an answer is sent once more,
on a connection of its own. This is safe for engines: a generation changes nothing on the server, and one whose
connection is gone is aborted there, so the worst that a second sending can cost is a little prefill. On a fresh
connection the same failure is real and is not repeated: a request that crashes engines must not be sent twice.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from router.upstream.connection import Connection
from router.upstream.exchange import Exchange
from router.upstream.failed import Failed, of_connecting
from router.upstream.settings import ClientSettings


class Origin(NamedTuple):
    """Where a connection leads."""

    host: str
    port: int
    is_tls: bool


class Connections:
    """Create inside a running event loop; `aclose` it. `tls` makes the context of TLS connections when first needed."""

    def __init__(self, settings: ClientSettings, *, tls: Callable[[], ssl.SSLContext]) -> None:
        self._settings = settings
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._loop = asyncio.get_running_loop()
        self._open: set[Connection] = set()
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)  # the last used is the last
        self._sweeper: asyncio.TimerHandle | None = None
        self._all_lost: asyncio.Future[None] | None = None  # when closing

    async def ask(self, origin: Origin, head: bytes, body: bytes, *, connect_s: float) -> Exchange:
        """Send a request, and return when the head of the answer is there. Raises Failed."""
        kept = self._take(origin)
        if kept is not None:
            try:
                return await _ask(kept, head, body)
            except Failed as failed:
                if not failed.is_silent:
                    raise
        return await _ask(await self._connect(origin, connect_s), head, body)

    async def aclose(self) -> None:
        """Close all connections, also those still in use."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._idle.clear()
        if self._open:
            self._all_lost = self._loop.create_future()
            for connection in self._open:
                connection.abort()
            await self._all_lost

    async def _connect(self, origin: Origin, connect_s: float) -> Connection:
        if origin.is_tls and self._tls is None:
            self._tls = self._make_tls()
        make = partial(
            Connection,
            self._loop,
            hold_bytes=2 * self._settings.read_buffer_bytes,
            unacknowledged_s=self._settings.unacknowledged_s,
            on_free=partial(self._keep, origin),
            on_lost=partial(self._forget, origin),
        )
        try:
            async with asyncio.timeout(connect_s):
                tls = self._tls if origin.is_tls else None
                _, connection = await self._loop.create_connection(make, origin.host, origin.port, ssl=tls)
        except OSError as error:  # a TimeoutError and all of TLS's are OSErrors
            raise of_connecting(error) from None
        if not connection.is_usable:  # it was closed in the same moment, and will not say so again
            raise Failed("the connection was closed without an answer")
        self._open.add(connection)
        return connection

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_usable:
                return connection
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        if self._all_lost is not None:
            connection.abort()
            return
        connection.idle_since = self._loop.time()
        self._idle[origin].append(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._settings.keepalive_s, self._sweep)

    def _sweep(self) -> None:
        """Close what has waited long enough, oldest first; come back for the next that will have."""
        self._sweeper = None
        now, keepalive_s = self._loop.time(), self._settings.keepalive_s
        for origin, idle in list(self._idle.items()):
            while idle and now - idle[0].idle_since >= keepalive_s:
                idle.pop(0).abort()
            if not idle:  # replicas come and go, each at an address of its own
                del self._idle[origin]
        if self._idle:
            oldest = min(idle[0].idle_since for idle in self._idle.values())
            self._sweeper = self._loop.call_at(oldest + keepalive_s, self._sweep)

    def _forget(self, origin: Origin, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(origin)
        if idle and connection in idle:
            idle.remove(connection)
        if self._all_lost is not None and not self._open and not self._all_lost.done():
            self._all_lost.set_result(None)


async def _ask(connection: Connection, head: bytes, body: bytes) -> Exchange:
    exchange = connection.begin(head, body)
    try:
        await exchange.head()
    except BaseException:
        exchange.close()
        raise
    return exchange
