"""One request on one connection, and its answer as it comes: HTTP/1.1, parsed by httptools (llhttp).

The parser calls back from within the connection's `data_received`; whoever waits is woken once per piece that arrived,
not once per chunk in it. What is wrong with an answer is told by `Failed`, in our own words; what has come before that
can still be read. Results live here and never on the connection, which may serve its next request before the reader of
this one runs again.
"""

import asyncio
from typing import Protocol

import httptools

from router.upstream.failed import Failed

MAX_HEAD_BYTES = 65_536  # of status line and headers; engines send a few hundred


class Line(Protocol):
    """The connection, as far as an exchange needs it."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def over(self, exchange: "Exchange") -> None: ...


class Exchange:
    """Begun by a connection; close it in any case.

    Args:
        line: the connection it runs on.
        loop: the running one.
        hold_bytes: of what nobody has taken yet; more pauses the connection.
    """

    __slots__ = (
        "_failed", "_has_length", "_head_bytes", "_held_bytes", "_hold_bytes", "_is_paused", "_line", "_loop",
        "_parser", "_parts", "_waiter", "headers", "is_complete", "is_reusable", "status",
    )  # fmt: skip

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop, *, hold_bytes: int) -> None:
        self._line = line
        self._loop = loop
        self._hold_bytes = hold_bytes
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._failed: Failed | None = None
        self._parts: list[bytes] = []  # of the body, not taken yet
        self._held_bytes = 0  # in them
        self._head_bytes = 0
        self._has_length = False
        self._is_paused = False
        self.status = 0  # 0: the head has not come yet
        self.headers: dict[str, str] = {}  # names in lower case; of several with one name the first
        self.is_complete = False  # the answer has come in whole
        self.is_reusable = False  # and its connection may serve another request

    async def head(self) -> None:
        """Wait for `status` and `headers`. Raises Failed."""
        while self.status == 0:
            await self._news()

    async def readany(self) -> bytes:
        """What has come of the body; waits while that is nothing; b"" at its end. Raises Failed."""
        while not self._parts:
            if self.is_complete:
                return b""
            await self._news()
        parts, self._parts = self._parts, []
        self._held_bytes = 0
        if self._is_paused:
            self._is_paused = False
            self._line.resume()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Give the connection back if the answer has come in whole, else cut it. May be repeated; ends a wait."""
        self._parser = None  # it refers to this exchange: else only the garbage collector would find the two
        self._line.over(self)
        self._fail(Failed("closed before its end"))

    def feed(self, data: bytes) -> None:
        """Bytes have arrived."""
        if self.is_complete or self._failed is not None or self._parser is None:
            self.is_reusable = False  # nobody asked for more
            return
        self._head_bytes += len(data) if self.status == 0 else 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.is_reusable = False
            self._fail(Failed("the answer was cut off" if self.status else "the answer is not valid HTTP"))
        if self.status == 0 and self._head_bytes > MAX_HEAD_BYTES:
            self._fail(Failed("the answer is not valid HTTP"))
        if self.is_complete:
            self._parser = None
        elif self._held_bytes > self._hold_bytes and not self._is_paused:
            self._is_paused = True
            self._line.pause()
        if self.status:
            self._wake()

    def lost(self, reason: str | None) -> None:
        """The connection has ended; `reason`: why, if not politely."""
        self.is_reusable = False
        if self.status and not self._has_length:  # such a body ends with its connection (RFC 9112 §6.3)
            self.is_complete = True
            self._wake()
        elif self.status:
            self._fail(Failed("the answer was cut off"))
        else:
            words = reason or "the connection was closed without an answer"
            self._fail(Failed(words, is_silent=self._head_bytes == 0))

    # What the parser tells. After the end of the answer it speaks of a second one, which nobody asked for.

    def on_message_begin(self) -> None:
        self.is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer
        key = name.decode("latin-1").lower()
        self._has_length = self._has_length or key in ("content-length", "transfer-encoding")
        self.headers.setdefault(key, value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:  # an interim answer: the real one follows
            self.headers.clear()
        elif self.status == 0:
            self.status = status

    def on_body(self, body: bytes) -> None:
        if not self.is_complete:
            self._parts.append(body)
            self._held_bytes += len(body)

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if self.status and not self.is_complete:
            self.is_complete = True
            self.is_reusable = self._parser.should_keep_alive()

    def _fail(self, failed: Failed) -> None:
        """Nothing more will come. Only the first failure counts, and none after a complete answer."""
        if not self.is_complete and self._failed is None:
            self._failed = failed
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _news(self) -> None:
        if self._failed is not None:
            raise self._failed
        self._waiter = self._loop.create_future()
        await self._waiter
