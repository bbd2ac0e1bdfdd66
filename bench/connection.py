"""One client connection of the load generator: as little work per byte as Python allows, and still checks the answers.

An answer is good when its status is 200 and it is whole: a stream ends with [DONE], a plain answer has usage. What
is not good is kept in words, so that a figure made of errors cannot pass for one.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import cast

import httptools

EVENT = b"data: "
STREAM_END = b"data: [DONE]\n\n"
TAIL_BYTES = 1000  # of an answer are kept: more than the usage at its end


class Connection(asyncio.Protocol):
    """Sends one request at a time. `on_done` is called once per request, `failure` then tells whether it was good."""

    def __init__(self) -> None:
        self.events = 0  # server-sent events of the present answer
        self.first_event_at = 0.0  # monotonic seconds; 0: none yet. Comments before it do not count
        self.failure: str | None = None
        self.is_open = True
        self._on_done: Callable[[Connection], None] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._is_stream = False
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def ask(self, request: bytes, *, is_stream: bool, on_done: "Callable[[Connection], None]") -> None:
        """Send a request; the one before must be done."""
        self.events = 0
        self.first_event_at = 0.0
        self.failure = None
        self._tail = b""
        self._is_stream = is_stream
        self._on_done = on_done
        self._transport.write(request)

    def close(self) -> None:
        """Hang up, in the middle of an answer too; `on_done` is not called any more."""
        self._on_done = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._finish(f"not HTTP: {error!r}")
            self.close()

    def on_body(self, data: bytes) -> None:
        if self._is_stream:
            # A mark may be cut in two; the kept end is too short to hold a whole one, so none is counted twice.
            self.events += (self._tail[-len(EVENT) + 1 :] + data).count(EVENT)
            if self.first_event_at == 0.0 and self.events:
                self.first_event_at = monotonic()
        self._tail = (self._tail + data)[-TAIL_BYTES:]

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != 200:
            self._finish(f"status {status}: {self._tail.decode(errors='replace')}")
        elif self._is_stream and not self._tail.endswith(STREAM_END):
            self._finish(f"a stream ended without [DONE]: {self._tail.decode(errors='replace')}")
        elif not self._is_stream and b'"usage"' not in self._tail:
            self._finish(f"an answer without usage: {self._tail.decode(errors='replace')}")
        else:
            self._finish(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._finish(f"connection lost in an answer: {exc!r}")

    def _finish(self, failure: str | None) -> None:
        on_done, self._on_done = self._on_done, None
        if on_done is not None:
            self.failure = failure
            on_done(self)
