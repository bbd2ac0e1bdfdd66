"""A server on loopback that misbehaves as it is told, for everything that has to live with broken endpoints.

    async with FaultServer(faults.reset_before_head, faults.good_stream) as server:
        ...  # the first request is reset, the second and all later ones are answered

Plain asyncio, no HTTP library, so that what is wrong on the wire is wrong on purpose. One request at a time per
connection. It counts what came and notes when clients went away; it ends with no connection or task left.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case; what came twice is joined with a comma
    body: bytes


class Exchange:
    """One request and the connection to answer it on.

    `gone` is set when the connection has ended; a behaviour that is not done by then is cancelled.
    """

    def __init__(
        self, request: Received, transport: asyncio.Transport, gone: asyncio.Event, can_write: asyncio.Event
    ) -> None:
        self.request = request
        self.gone = gone
        self._transport = transport
        self._can_write = can_write

    def send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until nearly all that was sent has left this process."""
        await self._can_write.wait()

    def close(self) -> None:
        """End politely: what was sent still arrives."""
        self._transport.close()

    def reset(self) -> None:
        """Send RST, as a killed process with unread data does."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


Behaviour = Callable[[Exchange], Awaitable[None]]


class FaultServer:
    """Answers the first request with the first behaviour, and so on; the last one serves all later requests."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._behaviours = list(behaviours)
        self.requests: list[Received] = []
        self.asked = asyncio.Event()  # the first of them has come
        self.accepted = 0  # connections ever
        self.open: set[_Connection] = set()
        self.closed_by_client = 0  # connections the client closed while a request was under way
        self.client_gone = asyncio.Event()  # the first such connection

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def next_behaviour(self) -> Behaviour:
        return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    async def all_closed(self) -> None:
        """Wait until no connection is open."""
        while self.open:
            await asyncio.wait({connection.lost for connection in self.open})

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for _ in range(5):  # of the event loop, in which it may be taking connections that came before
            await asyncio.sleep(0)
        for connection in list(self.open):
            connection.stop()
        await self.all_closed()
        await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    def __init__(self, server: FaultServer) -> None:
        self._server = server
        self._buffer = b""
        self._gone = asyncio.Event()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._task: asyncio.Task[None] | None = None
        self._is_ours_to_close = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.accepted += 1
        self._server.open.add(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(":") for line in lines[1:]):
            before = headers.get(name.lower())
            headers[name.lower()] = value.strip() if before is None else f"{before}, {value.strip()}"
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        method, path, _ = lines[0].split(" ")
        request = Received(method, path, headers, rest[:length])
        self._buffer = rest[length:]
        self._server.requests.append(request)
        self._server.asked.set()
        behaviour = self._server.next_behaviour()
        exchange = Exchange(request, self._transport, self._gone, self._can_write)
        self._task = asyncio.ensure_future(behaviour(exchange))

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._can_write.set()
        if self._task is None or self._task.done():
            self._forget()
            return
        if not self._is_ours_to_close:
            self._server.closed_by_client += 1
            self._server.client_gone.set()
        self._task.cancel()
        self._task.add_done_callback(lambda _: self._forget())

    def _forget(self) -> None:
        self._server.open.discard(self)
        self.lost.set_result(None)

    def stop(self) -> None:
        self._is_ours_to_close = True
        self._transport.abort()


@contextmanager
def refusing_port() -> Iterator[str]:
    """A base URL where nobody listens, and nobody else can begin to while the block runs."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def blackhole() -> Iterator[str]:
    """A base URL whose host answers no SYN: its queue of connections is full and nobody takes one (Linux)."""
    with socket.socket() as listener, ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def deaf() -> Iterator[str]:
    """A base URL where connections open but nobody reads: a large request never gets through."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
