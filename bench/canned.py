"""A cheap upstream that answers canned bytes, so that what is measured is what stands in front of it.

`python -m bench.canned` prints its port on one line and serves until its standard input closes. A POST to a
path ending in `/stream` gets TOKENS events, one every INTERVAL_S, each its own chunk and its own write; any
other POST gets one JSON body at once.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

TOKENS = 100
INTERVAL_S = 0.01
EVENT = (
    b'data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"m","choices":[{"index":0,'
    b'"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}\n\n'
)
ANSWER = (
    b'{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1700000000,"model":"m","choices":[{'
    b'"index":0,"message":{"role":"assistant","content":"' + b"word " * 40 + b'"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":50,"completion_tokens":40,"total_tokens":90}}'
)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: "
_JSON = _HEAD + b"application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER) + ANSWER
_STREAM = _HEAD + b"text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
_CHUNK = b"%x\r\n" % len(EVENT) + EVENT + b"\r\n"


class Canned(asyncio.Protocol):
    """One connection. Answers requests in order; pipelining is not needed by any caller here."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        if self._url.endswith(b"/stream"):
            self._left = TOKENS
            self._transport.write(_STREAM)
            self._loop.call_later(INTERVAL_S, self._tick)
        else:
            self._transport.write(_JSON)

    def _tick(self) -> None:
        if self._transport.is_closing():
            return
        self._left -= 1
        self._transport.write(_CHUNK if self._left else _CHUNK + b"0\r\n\r\n")
        if self._left:
            self._loop.call_later(INTERVAL_S, self._tick)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
