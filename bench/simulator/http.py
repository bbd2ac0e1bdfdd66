"""An HTTP server as small as an engine's simulator needs: requests in order, whole bodies, answers whole or chunked.

What is answered may be wrong on purpose, so an exchange also offers raw bytes, a close and a reset.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

import httptools

MAX_BODY = 256 * 2**20  # bytes
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large"}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
JSON, TEXT = "application/json", "text/plain; version=0.0.4; charset=utf-8"


class Exchange:
    """One request and the connection to answer it on.

    Attributes:
        on_gone: called once if the client leaves before the answer is whole.
        is_open: it may still be answered.
    """

    __slots__ = ("_done", "_transport", "body", "is_open", "method", "on_gone", "target")

    def __init__(
        self, method: str, target: str, body: bytes, transport: asyncio.Transport, done: Callable[[bool], None]
    ) -> None:
        self.method = method
        self.target = target  # path and query
        self.body = body
        self.is_open = True
        self.on_gone: Callable[[], None] | None = None
        self._transport = transport
        self._done = done

    def answer(self, status: int, body: bytes, kind: str = JSON, **headers: str) -> None:
        """A whole answer; underscores in names of headers become hyphens."""
        if not self.is_open:
            return
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        reason = REASONS.get(status, "Error")
        head = (
            f"HTTP/1.1 {status} {reason}\r\nserver: uvicorn\r\ncontent-length: {len(body)}\r\ncontent-type: {kind}\r\n"
        )
        self._transport.write(f"{head}{more}\r\n".encode() + body)
        self._end(may_go_on=True)

    def start_stream(self) -> None:
        """The head of a stream of events; `write` its chunks, then `end` it."""
        if self.is_open:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                b"transfer-encoding: chunked\r\n\r\n"
            )

    def write(self, data: bytes) -> None:
        """Bytes as they are."""
        if self.is_open:
            self._transport.write(data)

    def end(self) -> None:
        """The last chunk of a stream."""
        if self.is_open:
            self._transport.write(b"0\r\n\r\n")
            self._end(may_go_on=True)

    def close(self) -> None:
        """Hang up; what was written still arrives."""
        if self.is_open:
            self._end(may_go_on=False)
            self._transport.close()

    def reset(self) -> None:
        """Send RST, as a killed process with unread data does."""
        if self.is_open:
            self._end(may_go_on=False)
            reset(self._transport)

    def gone(self) -> None:
        """The connection is lost."""
        if self.is_open:
            self._end(may_go_on=False)
            if self.on_gone is not None:
                self.on_gone()

    def _end(self, *, may_go_on: bool) -> None:
        self.is_open = False
        self._done(may_go_on)


Handler = Callable[[Exchange], None]


class Connection(asyncio.Protocol):
    """One client connection; a request that comes before the last one is answered waits."""

    def __init__(self, handler: Handler, connections: "set[Connection]") -> None:
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._body: list[bytes] = []
        self._size = 0
        self._exchange: Exchange | None = None
        self._waiting: list[tuple[str, str, bytes, bool]] = []  # the last: the connection goes on after it
        self._keeps_alive = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._exchange is not None:
            self._exchange.gone()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_BODY:
            self._transport.abort()
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        method, target = self._parser.get_method().decode(), self._target.decode("latin-1")
        self._waiting.append((method, target, b"".join(self._body), self._parser.should_keep_alive()))
        self._target, self._body, self._size = b"", [], 0
        if self._exchange is None:
            self._next()

    def abort(self) -> None:
        """Reset it, whatever is under way."""
        reset(self._transport)

    def _next(self) -> None:
        method, target, body, self._keeps_alive = self._waiting.pop(0)
        self._exchange = Exchange(method, target, body, self._transport, self._answered)
        self._handler(self._exchange)

    def _answered(self, may_go_on: bool) -> None:
        self._exchange = None
        if may_go_on and not self._keeps_alive:
            self._transport.close()
        elif may_go_on and self._waiting:
            asyncio.get_running_loop().call_soon(self._next_if_idle)

    def _next_if_idle(self) -> None:
        if self._exchange is None and self._waiting and not self._transport.is_closing():
            self._next()


def reset(transport: asyncio.Transport) -> None:
    """End a connection with RST."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Listener:
    """A TCP port that can be closed and opened again; its open connections are known."""

    def __init__(self, handler: Handler, host: str, port: int) -> None:
        """Nothing is opened yet; port 0 becomes a free one at the first `open`."""
        self._handler = handler
        self.host = host
        self.port = port
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def open(self) -> None:
        """Take connections. Raises OSError when the port is taken."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: Connection(self._handler, self.connections), self.host, self.port, backlog=4096
            )
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Take no more connections; the open ones go on."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def abort(self) -> None:
        """Reset every open connection."""
        for connection in list(self.connections):
            connection.abort()
