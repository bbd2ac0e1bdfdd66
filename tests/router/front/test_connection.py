"""One connection on a transport that is none, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from router.front.connection import Connection, Phase
from router.front.door import LINGER_BYTES, Door
from router.front.ports import Receive, Scope, Send
from router.front.refusal import Refusal
from router.front.settings import FrontSettings

GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


class Transport(asyncio.Transport):
    """Keeps what is written; `held` of it never leave."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.held = 0
        self.is_paused = self.is_ended = self.is_closed = self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.held

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_ended = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True


@dataclass
class Client:
    connection: Connection
    transport: Transport
    door: Door
    seen: list[str] = field(default_factory=list)  # what the application got
    time: float = 0.0

    def send(self, data: bytes) -> None:
        self.connection.data_received(data)

    async def wait(self, seconds: float) -> None:
        """Let virtual time pass, a tick at a time."""
        end = self.time + seconds
        while self.time < end:
            self.time += self.door.wheel.tick_s
            self.door.sweep()
            await settle()

    @property
    def status(self) -> bytes:
        return self.transport.written[9:12]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


Body = Callable[[Client], Awaitable[None]]


def run(body: Body, app: Any = None, **settings: Any) -> None:
    async def main() -> None:
        seen: list[str] = []

        async def reading(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["path"])
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass
            if message["type"] == "http.disconnect":
                seen.append("gone")
                return
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

        config = uvicorn.Config(app or reading, ws="none", lifespan="off", interface="asgi3", log_config=None)
        config.load()
        client: Client
        door = Door(FrontSettings(**settings), keep_alive_s=75.0, most_connections=10, clock=lambda: client.time)
        connection = Connection(door, config=config, server_state=ServerState(), app_state={})
        client = Client(connection, Transport(), door, seen)
        connection.connection_made(client.transport)
        await body(client)
        connection.connection_lost(None)
        await settle()
        assert (0, 0, 0, 0) == (door.open, door.idle, door.lingering, len(door.wheel))
        assert set() == connection.server_state.tasks

    asyncio.run(main())


def test_who_says_nothing_is_cut_off_without_a_word() -> None:
    async def body(client: Client) -> None:
        await client.wait(9.0)
        assert not client.transport.is_closed
        await client.wait(2.0)
        assert client.transport.is_closed
        assert b"" == client.transport.written
        assert 1 == client.door.refused[Refusal.NO_REQUEST]

    run(body)


def test_a_head_has_ten_seconds_however_often_a_byte_comes() -> None:
    async def body(client: Client) -> None:
        for byte in GET[:21]:
            client.send(bytes((byte,)))
            await client.wait(0.5)
        assert b"408" == client.status
        assert client.transport.is_ended
        assert [] == client.seen
        await client.wait(2.0)
        assert client.transport.is_aborted  # it did not go by itself

    run(body)


def test_a_kept_connection_may_idle_and_then_ends() -> None:
    async def body(client: Client) -> None:
        client.send(GET)
        await settle()
        assert (b"200", 1) == (client.status, client.door.idle)
        await client.wait(74.0)
        client.send(GET)
        await settle()
        await client.wait(74.0)
        assert not client.transport.is_closed
        await client.wait(2.0)
        assert client.transport.is_closed
        assert ["/v1/models"] * 2 == client.seen

    run(body)


def test_a_body_may_not_stand_still() -> None:
    async def body(client: Client) -> None:
        client.send(POST + b"x" * 90_000)
        await client.wait(31.0)
        assert b"408" == client.status
        assert ["/v1/chat/completions", "gone"] == client.seen

    run(body)


def test_a_body_may_not_trickle() -> None:
    async def body(client: Client) -> None:
        client.send(POST)
        for _ in range(12):
            await client.wait(1.0)
            if client.transport.written:
                break
            client.send(b"x")
        assert b"408" == client.status
        assert 1 == client.door.refused[Refusal.SLOW_BODY]

    run(body)


def test_a_body_at_a_modest_pace_is_taken() -> None:
    async def body(client: Client) -> None:
        client.send(POST)
        for _ in range(100):
            await client.wait(0.5)
            client.send(b"x" * 1_000)
        await settle()
        assert b"200" == client.status

    run(body)


def test_a_body_that_the_application_does_not_read_is_not_slow() -> None:
    go = asyncio.Event()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def body(client: Client) -> None:
        client.send(POST + b"x" * 70_000)
        assert client.transport.is_paused
        await client.wait(120.0)
        go.set()
        await settle()
        assert not client.transport.is_paused
        await client.wait(20.0)
        client.send(b"x" * 30_000)
        await settle()
        assert b"200" == client.status

    run(body, late)


def test_a_client_that_waits_for_100_continue_is_not_slow() -> None:
    go = asyncio.Event()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def body(client: Client) -> None:
        client.send(POST.replace(b"100000", b"2\r\nExpect: 100-continue"))
        await client.wait(120.0)
        assert b"" == client.transport.written
        go.set()
        await settle()
        assert b"100" == client.status
        client.send(b"ok")
        await settle()
        assert b"HTTP/1.1 200" in client.transport.written

    run(body, late)


def test_who_does_not_read_is_cut_off_in_the_answer_and_after_it() -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"o", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async def within(client: Client) -> None:
        client.send(GET)
        await settle()
        client.transport.held = 200_000
        client.connection.pause_writing()
        await client.wait(25.0)
        client.transport.held = 190_000  # some of it has left
        await client.wait(25.0)
        assert not client.transport.is_aborted
        await client.wait(20.0)
        assert client.transport.is_aborted
        assert 1 == client.door.refused[Refusal.SLOW_READER]

    async def after(client: Client) -> None:
        client.send(GET.replace(b"Host", b"Connection: close\r\nHost"))
        client.transport.held = 100
        await settle()
        assert (True, False) == (client.transport.is_closed, client.transport.is_aborted)
        await client.wait(45.0)
        assert client.transport.is_aborted

    run(within, stream)
    run(after)


def test_a_second_request_is_not_read_before_the_first_is_answered() -> None:
    async def body(client: Client) -> None:
        client.send(GET + GET + GET)
        client.send(GET)
        await settle()
        assert ["/v1/models"] == client.seen
        assert 1 == client.transport.written.count(b"HTTP/1.1")
        assert client.transport.is_closed
        assert 1 == client.door.refused[Refusal.PIPELINED]

    run(body)


def test_a_flood_after_a_request_is_cut_off() -> None:
    async def body(client: Client) -> None:
        client.send(GET)
        client.send(b"x" * (LINGER_BYTES + 1))
        assert client.transport.is_aborted

    run(body)


def test_what_is_broken_within_a_body_is_refused_and_the_application_sees_a_client_that_left() -> None:
    async def body(client: Client) -> None:
        client.send(POST.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked") + b"2\r\nab\r\n")
        await settle()
        client.send(b"zz\r\n")
        await settle()
        assert b"400" == client.status
        assert ["/v1/chat/completions", "gone"] == client.seen

    run(body)


def test_nothing_is_added_to_an_answer_that_has_begun() -> None:
    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})

    async def body(client: Client) -> None:
        client.send(POST)
        await settle()
        assert b"401" == client.status
        await client.wait(31.0)
        assert 1 == client.transport.written.count(b"HTTP/1.1")
        assert client.transport.is_closed

    run(body, early)


def test_a_body_after_its_answer_is_read_and_then_the_connection_is_good_again() -> None:
    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})

    async def body(client: Client) -> None:
        client.send(POST)
        await settle()
        client.send(b"x" * 100_000)
        assert 1 == client.door.idle
        client.send(GET)
        await settle()
        assert 2 == client.transport.written.count(b"HTTP/1.1 401")

    run(body, early)


def test_a_server_that_ends_lets_a_request_end() -> None:
    async def body(client: Client) -> None:
        client.send(POST)
        await settle()
        client.connection.shutdown()
        assert not client.transport.is_closed
        client.send(b"x" * 100_000)
        await settle()
        assert b"\r\nconnection: close\r\n" in client.transport.written
        assert client.transport.is_closed

    async def idle(client: Client) -> None:
        client.connection.shutdown()
        assert client.transport.is_closed
        assert Phase.CLOSING is client.connection.phase

    run(body)
    run(idle)


def test_the_buffer_of_an_answer_has_its_mark() -> None:
    async def body(client: Client) -> None:
        assert (131_072, 32_768) == client.transport.limits

    run(body)
