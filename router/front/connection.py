"""One client connection: uvicorn's, with a lock on the door.

uvicorn's protocol parses, calls the application and writes the answer; here is decided what it gets to see, and how
long anybody may take. A head is collected and judged as bytes before the parser gets it, and as headers before the
application hears of it. One request at a time: what follows a request before its answer is complete is dropped, and the
connection closed after that answer, so nothing can be smuggled behind a body (docs/decisions/0009-the-front-door.md).

    FIRST ─ byte ─▶ HEAD ─ complete ─▶ BODY ─ complete ─▶ HANDLING ─ answered ─▶ IDLE ─ byte ─▶ HEAD …
    refused ─▶ LINGER ─▶ closed;  ended while the client has not read all ─▶ CLOSING ─▶ closed
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from router.front import target
from router.front.door import LINGER_BYTES, LINGER_S, MOST_LINGERING, Door
from router.front.flow import Flow
from router.front.head import end_of_head, is_chunked, without_upgrade
from router.front.refusal import Refusal, Refused
from router.front.wheel import NOWHERE

LOOKS = 4  # at a stuck buffer, within the time it has
CHUNK_BYTES = 16  # of coding that a chunk needs: its size and two line ends


class Phase(Enum):
    """What a connection waits for."""

    FIRST = auto()  # the first byte of its first request
    HEAD = auto()  # the rest of a head
    BODY = auto()  # the rest of a body; the application runs already
    HANDLING = auto()  # the application
    IDLE = auto()  # the next request
    LINGER = auto()  # that the client has read its refusal
    CLOSING = auto()  # that the client has read its answer


WAITS_FOR_REQUEST = frozenset((Phase.FIRST, Phase.HEAD, Phase.IDLE))


class Connection(HttpToolsProtocol):
    """A guest of the door."""

    flow: Flow

    def __init__(self, door: Door, *, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state, asyncio.get_running_loop())
        self.deadline = 0.0
        self.slot = NOWHERE
        self.address: str | None = None
        self.phase = Phase.FIRST
        self.on_made: Callable[[], None] | None = None  # called before the door is asked
        self._door = door
        self._head = bytearray()  # that is not complete
        self._is_expecting = False  # the message that begins is the one whose head was judged
        self._is_dispatched = False  # the application has got the present request
        self._has_message = False  # to its end
        self._is_chunked = False
        self._began_at = 0.0  # the body
        self._last_byte_at = 0.0  # of it
        self._body_bytes = 0
        self._wire_bytes = 0  # the same in its coding
        self._chunks = 0
        self._surplus = 0  # bytes that nobody asked for

    # --- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # uvloop's is no asyncio.Transport
        door, settings = self._door, self._door.settings
        self.flow = Flow(self.transport, door.clock)
        high = settings.write_buffer_bytes
        self.transport.set_write_buffer_limits(high=high, low=high // 4)
        self.address = self.client[0] if self.client else None
        if self.on_made is not None:
            self.on_made()
            self.on_made = None
        refusal = door.enter(self)
        if refusal is None:
            door.wheel.set(self, door.clock() + settings.first_byte_s)
        else:
            self._refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.phase is Phase.LINGER:
            self._door.lingering -= 1
        self.phase = Phase.CLOSING
        self._door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            if self.phase is Phase.BODY:
                self._last_byte_at = self._door.clock()
                self._feed(data, len(data))
            elif self.phase in WAITS_FOR_REQUEST:
                self._collect(data)
            else:
                self._drop(data)
        except Refused as refused:
            self._refuse(refused.refusal)

    def _collect(self, data: bytes) -> None:
        """A part of a head; mostly all of it, and of the body."""
        is_new = self.phase is not Phase.HEAD
        if is_new:
            data = data.removeprefix(b"\r\n")  # old clients send it after a body: RFC 9112, 2.2
            if not data:
                return
            self._door.wake(self)
            self.phase = Phase.HEAD
        seen = len(self._head)
        self._is_dispatched = False
        if seen:
            self._head += data
            end = end_of_head(self._head, seen, self._door.settings)
            data = bytes(self._head) if end else b""
        else:
            end = end_of_head(data, 0, self._door.settings)
        if end:
            self._head.clear()
            self._begin(data, end)
            return
        self._head += data
        if is_new:
            self._door.wheel.set(self, self._door.clock() + self._door.settings.head_s)

    def _begin(self, data: bytes, end: int) -> None:
        """A head is there, and what has come of the body."""
        self.phase = Phase.BODY
        self._is_expecting = True
        self._has_message = False
        self._body_bytes = self._wire_bytes = self._chunks = 0
        body_bytes = len(data) - end
        self._feed(without_upgrade(data, end), body_bytes)
        if self.phase is Phase.BODY:
            self._began_at = self._last_byte_at = self._door.clock()
            self.flow.paused_s = 0.0
            self._watch_body(self._began_at)

    def _feed(self, data: bytes, body_bytes: int) -> None:
        self._wire_bytes += body_bytes
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise Refused(Refusal.BAD_HTTP) from None  # none was asked for in the head that was judged
        except httptools.HttpParserError as error:
            self._on_parser_error(error)
        if self._is_chunked and not self._has_message:
            due = CHUNK_BYTES * self._chunks + 2 * self._body_bytes + self._door.settings.chunk_overhead_bytes
            if self._wire_bytes - self._body_bytes > due:  # Go's rule: net/http/internal/chunked.go
                raise Refused(Refusal.CHUNK_OVERHEAD)

    def _on_parser_error(self, error: httptools.HttpParserError) -> None:
        if self._has_message:  # the request is whole: what is broken comes after it
            self._end_after_answer()
            return
        cause = error.__context__
        raise (cause if isinstance(cause, Refused) else Refused(Refusal.BAD_HTTP)) from None

    def _drop(self, data: bytes) -> None:
        """What nobody asked for, or nobody wants any more."""
        if self.phase is Phase.HANDLING:
            if data == b"\r\n":
                return
            self._end_after_answer()
        self._surplus += len(data)
        if self._surplus > LINGER_BYTES:
            self.transport.abort()

    def _end_after_answer(self) -> None:
        """More came than one request; whose it is, is not for us to guess."""
        if self.cycle.keep_alive or not self._surplus:
            self._door.count(Refusal.PIPELINED)
        self._surplus += 1
        self.cycle.keep_alive = False
        if self.cycle.response_complete:
            self._close()

    # --- the parser's calls

    def on_message_begin(self) -> None:
        if not self._is_expecting:
            raise Refused(Refusal.PIPELINED)
        self._is_expecting = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_dispatched:
            raise Refused(Refusal.TRAILERS)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_chunked = is_chunked(self.headers, self.parser.get_http_version())
        path = target.decode(target.path_of(self.url, self._door.settings.path_bytes))
        super().on_headers_complete()
        self.scope["path"] = path  # the application's task has not begun yet
        self._is_dispatched = True

    def on_chunk_header(self) -> None:
        self._chunks += 1

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._has_message = True
        self._proceed()

    # --- the application's calls

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._close()
            return
        self.flow.resume_reading()
        self._proceed()

    def _proceed(self) -> None:
        """The request or its answer is complete."""
        door = self._door
        if not self._has_message:
            return  # it was answered early; its body still comes
        if not self.cycle.response_complete:
            self.phase = Phase.HANDLING
            door.wheel.set(self, door.clock() + door.settings.write_gap_s / LOOKS)
        else:
            self.phase = Phase.IDLE
            door.rest(self)
            door.wheel.set(self, door.clock() + door.keep_alive_s)

    # --- the door's calls

    def on_deadline(self, now: float) -> None:
        match self.phase:
            case Phase.FIRST:
                self._door.count(Refusal.NO_REQUEST)
                self._close()
            case Phase.HEAD:
                self._refuse(Refusal.SLOW_HEAD)
            case Phase.BODY:
                self._watch_body(now)
            case Phase.IDLE:
                self.dismiss()
            case Phase.LINGER:
                self.transport.abort()
            case Phase.HANDLING | Phase.CLOSING:
                self._watch_reader(now)

    def dismiss(self) -> None:
        self._close()

    def shutdown(self) -> None:
        """The server ends: so does what waits for a request, and what is answered is the last."""
        if self.phase in WAITS_FOR_REQUEST:
            self._close()
        elif self.phase in (Phase.BODY, Phase.HANDLING):
            super().shutdown()

    def _watch_body(self, now: float) -> None:
        settings = self._door.settings
        if self.flow.read_paused:  # it waits for us
            self._door.wheel.set(self, now + settings.body_gap_s)
            return
        if self.cycle.waiting_for_100_continue and not self.cycle.response_started:
            self._began_at = self._last_byte_at = now  # the client waits for a word from us
        late_at = max(self._last_byte_at, self.flow.resumed_at) + settings.body_gap_s
        if settings.body_bytes_per_s:
            due_s = settings.body_grace_s + self._body_bytes / settings.body_bytes_per_s
            late_at = min(late_at, self._began_at + self.flow.paused_s + due_s)
        if late_at <= now:
            self._refuse(Refusal.SLOW_BODY)
        else:
            self._door.wheel.set(self, late_at)

    def _watch_reader(self, now: float) -> None:
        gap_s = self._door.settings.write_gap_s
        if self.flow.stuck_s(now) >= gap_s:
            self._door.count(Refusal.SLOW_READER)
            self.transport.abort()
        else:
            self._door.wheel.set(self, now + gap_s / LOOKS)

    # --- ends

    def _refuse(self, refusal: Refusal) -> None:
        """Answer, if nothing was answered yet, and end. The application sees a client that has left."""
        door = self._door
        door.count(refusal)
        answer = door.answer(refusal)
        if self._is_dispatched:
            cycle = self.cycle
            if cycle.response_started:
                answer = b""
            cycle.disconnected = True
            cycle.message_event.set()
            self.flow.resume_writing()
        if not answer or self.transport.is_closing():
            self._close()
            return
        self.transport.write(answer)
        if door.lingering >= MOST_LINGERING:
            self._close()
            return
        door.lingering += 1
        door.wake(self)
        self.phase = Phase.LINGER
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        door.wheel.set(self, door.clock() + LINGER_S)

    def _close(self) -> None:
        """End once the client has read what was written, or does not."""
        self.phase = Phase.CLOSING
        self._door.wake(self)
        now = self._door.clock()
        self.flow.stuck_s(now)
        self._door.wheel.set(self, now + self._door.settings.write_gap_s / LOOKS)
        self.transport.close()
