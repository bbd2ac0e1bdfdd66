"""Several ports, one application, one life: start together, end in order.

On SIGTERM or SIGINT: not ready any more, wait `leave_s` so that load balancers notice, take no new connections, let
running answers end (`drain_s`), then close the port for metrics, which tells how that goes, then end the application.
A second SIGINT does not wait.
"""

import asyncio
import logging
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from router.front.access_log import NAME, WithoutQuery
from router.front.connection import Connection
from router.front.door import Door
from router.front.handshake import Acceptor
from router.front.ports import ALL, Asgi, Port, Purpose
from router.front.tls import Certificates
from router.tasks import stop as stop_all

logger = logging.getLogger(__name__)

DRAIN_TICK_S = 0.05  # between looks whether all are gone
LAST_S = 1.0  # that a scrape of the last metrics may take
ABORT_S = 5.0  # that cancelled requests have to give back what they hold


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket, and what is served there."""

    socket: socket.socket
    purposes: frozenset[Purpose] = ALL
    certificates: Certificates | None = None


class Stop:
    """Asked to end, and perhaps at once."""

    def __init__(self) -> None:
        self.leaving = asyncio.Event()
        self.at_once = asyncio.Event()

    def ask(self, number: int) -> None:
        """As a signal's handler."""
        if self.leaving.is_set() and number == signal.SIGINT:
            self.at_once.set()
        self.leaving.set()


async def serve(
    app: Asgi,
    listeners: Sequence[Listener],
    door: Door,
    *,
    backlog: int,
    drain_s: float,
    leave_s: float = 0.0,
    access_log: bool = False,
    on_leave: Callable[[], None] = lambda: None,
    on_reload: Callable[[], None] = lambda: None,
    stop: Stop | None = None,
) -> None:
    """Serve until a signal says to stop, or `stop` does.

    Args:
        listeners: at least one; their sockets are closed at the end.
        on_leave: called when the end begins.
        on_reload: called at SIGHUP.

    Raises SystemExit when the application cannot start.
    """
    stop = stop or Stop()
    logging.getLogger(NAME).addFilter(WithoutQuery())
    configure = partial(
        uvicorn.Config, http=Connection, ws="none", lifespan="off", interface="asgi3", log_config=None,
        access_log=access_log, proxy_headers=False, server_header=False,
    )  # fmt: skip
    lifespan = LifespanOn(configure(app))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask, number)
    await lifespan.startup()
    if lifespan.startup_failed or lifespan.error_occurred:
        sys.exit(STARTUP_FAILURE)
    loop.add_signal_handler(signal.SIGHUP, on_reload)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lifespan.shutdown)
        ports = [
            _Server(configure(Port(app, it.purposes, stop.leaving.is_set)), it, door, lifespan.state)
            for it in listeners
        ]
        watchers: list[Awaitable[None]] = [door.run(), _keep_date([port.state for port in ports])]
        watchers += [each.run() for each in {it.certificates for it in listeners} if each is not None]
        tasks = [asyncio.ensure_future(watcher) for watcher in watchers]
        stack.push_async_callback(stop_all, tasks)
        for port in ports:
            await port.open(backlog)
        await stop.leaving.wait()
        on_leave()
        logger.info("leaving: no new connections after %.1f s, %.0f s for running answers", leave_s, drain_s)
        await _first(stop.at_once.wait(), asyncio.sleep(leave_s))
        last = [port for port in ports if port.is_last]
        await asyncio.gather(*(port.drain(drain_s, stop) for port in ports if port not in last))
        await asyncio.gather(*(port.drain(LAST_S, stop) for port in last))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.remove_signal_handler(number)


class _Server:
    """One port while it is open."""

    def __init__(self, config: uvicorn.Config, listener: Listener, door: Door, app_state: dict[str, Any]) -> None:
        self._listener = listener
        self._door = door
        self._config = config
        self._app_state = app_state
        self.state = ServerState()
        self._acceptor: Acceptor | asyncio.AbstractServer | None = None
        self.is_last = listener.purposes == frozenset((Purpose.METRICS,))

    async def open(self, backlog: int) -> None:
        self._config.load()
        it = self._listener
        if it.certificates is None:
            loop = asyncio.get_running_loop()
            self._acceptor = await loop.create_server(self._connect, sock=it.socket, backlog=backlog)
        else:
            self._acceptor = Acceptor(it.socket, self._door, it.certificates, self._connect)

    def _connect(self) -> Connection:
        return Connection(self._door, config=self._config, server_state=self.state, app_state=self._app_state)

    async def drain(self, drain_s: float, stop: Stop) -> None:
        """Take no more, and end what is there: by itself, or after `drain_s` seconds by force."""
        if isinstance(self._acceptor, Acceptor):
            await self._acceptor.close()
        elif self._acceptor is not None:
            self._acceptor.close()
        for connection in list(self.state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                while (self.state.connections or self.state.tasks) and not stop.at_once.is_set():  # noqa: ASYNC110
                    await asyncio.sleep(DRAIN_TICK_S)
        if self.state.tasks:
            logger.error("%d requests are cut off: they did not end within %.0f s", len(self.state.tasks), drain_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(ABORT_S):
                    await stop_all(list(self.state.tasks))
        for connection in list(self.state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


async def _keep_date(states: Sequence[ServerState]) -> None:
    """The Date header of every answer, once a second."""
    while True:
        headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
        for state in states:
            state.default_headers = headers
        await asyncio.sleep(1.0)


async def _first(*waiting: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(each) for each in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await stop_all(tasks)
