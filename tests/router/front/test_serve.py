"""Several ports in one process, without signals: how it begins and how it ends."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from router.front.door import Door
from router.front.ports import Asgi, Purpose, Receive, Scope, Send
from router.front.serve import Listener, Stop, serve
from router.front.settings import FrontSettings

GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"


class App:
    """Says how its life goes; answers when it is told, if at all."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.events.append("shut down")
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.asked.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        self.events.append("answered")


def listening() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


def door() -> Door:
    return Door(FrontSettings(), keep_alive_s=75.0, most_connections=10, clock=time.monotonic)


@asynccontextmanager
async def asking(sock: socket.socket) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    writer.write(GET)
    try:
        yield reader
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def left(app: App, drain_s: float, then: Callable[[Stop], None]) -> bytes:
    """What a client gets whose request is under way when the server is told to leave."""
    stop, sock = Stop(), listening()
    it = door()
    ports = [Listener(sock, frozenset((Purpose.DATA,))), Listener(listening(), frozenset((Purpose.METRICS,)))]
    serving = asyncio.ensure_future(
        serve(app, ports, it, backlog=10, drain_s=drain_s, on_leave=lambda: app.events.append("leaves"), stop=stop)
    )
    async with asking(sock) as reader:
        await app.asked.wait()
        stop.ask(15)
        then(stop)
        async with asyncio.timeout(20):
            await serving
            with suppress(ConnectionError):
                return await reader.read()
    return b""


def test_a_request_under_way_is_answered_before_the_end() -> None:
    async def main() -> None:
        app = App()
        found = await left(app, 30.0, lambda stop: app.go.set())
        assert found.startswith(b"HTTP/1.1 200 OK\r\n")
        assert found.endswith(b"ok")
        assert ["leaves", "answered", "shut down"] == app.events

    asyncio.run(main())


def test_one_that_takes_too_long_is_cancelled_and_then_all_ends(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        app = App()
        await left(app, 0.1, lambda stop: None)
        assert ["leaves", "cancelled", "shut down"] == app.events

    asyncio.run(main())
    assert "1 requests are cut off" in caplog.text


def test_a_second_interrupt_does_not_wait() -> None:
    async def main() -> None:
        app = App()
        await left(app, 3_600.0, lambda stop: stop.ask(2))
        assert ["leaves", "cancelled", "shut down"] == app.events

    asyncio.run(main())


def test_an_application_that_does_not_start_ends_the_process() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no database")

    async def main(app: Asgi) -> None:
        with listening() as sock:
            await serve(app, [Listener(sock)], door(), backlog=10, drain_s=1.0)

    with pytest.raises(SystemExit):
        asyncio.run(main(broken))


def test_sighup_asks_for_the_configuration_to_be_looked_at() -> None:
    async def main() -> None:
        app, stop, asked = App(), Stop(), asyncio.Event()
        ports = [Listener(listening())]
        serving = asyncio.ensure_future(
            serve(app, ports, door(), backlog=10, drain_s=60.0, on_reload=asked.set, stop=stop)
        )
        async with asking(ports[0].socket) as reader:
            await app.asked.wait()  # it serves, so its signals are taken
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(asked.wait(), 60)
            app.go.set()
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        stop.ask(signal.SIGTERM)
        await serving

    asyncio.run(main())
