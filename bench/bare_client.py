"""The floor for an HTTP client in Python: asyncio and httptools alone, without retries, limits, clocks or errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httptools

BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 200 + b'"}]}'


class _Wire(asyncio.Protocol):
    """One connection of the small client below: a parser, one waiter, bytes not yet taken."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.waiter: asyncio.Future[None] | None = None
        self.parts: list[bytes] = []
        self.done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def begin(self, data: bytes) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.parts, self.done = [], False
        self.transport.write(data)

    def on_body(self, data: bytes) -> None:
        self.parts.append(data)

    def on_message_complete(self) -> None:
        self.done = True

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)
        if self.waiter is not None and not self.waiter.done() and (self.parts or self.done):
            self.waiter.set_result(None)

    async def read(self) -> bytes:
        if not self.parts and not self.done:
            self.waiter = self._loop.create_future()
            await self.waiter
        data = b"".join(self.parts)
        self.parts.clear()
        return data


class Bare:
    """A pool of idle connections and one way to ask."""

    package = "httptools"

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[_Wire] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["Bare"]:
        host, port = url.removeprefix("http://").split(":")
        self = cls(host, int(port))
        yield self
        for wire in self._idle:
            wire.transport.close()

    async def _read(self, url: str) -> int:
        if self._idle:
            wire = self._idle.pop()
        else:
            _, wire = await asyncio.get_running_loop().create_connection(_Wire, self._host, self._port)
        path = url[url.index("/", 7) :]
        head = f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: application/json\r\n"
        wire.begin(f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY)
        size = 0
        while data := await wire.read():
            size += len(data)
            if wire.done:
                break
        self._idle.append(wire)
        return size

    once = stream = _read
