"""One request's answer on its way out: token by token from the engine to the client, with the fault it was given.

Whether it is streamed or whole is the writer's business and the exchange's; the engine only says "one more token".
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bench.simulator.answer import Answer
from bench.simulator.faults import Fault, Kind
from bench.simulator.http import Exchange
from bench.simulator.wire import DONE, KEEP_ALIVE, Counts, Writer, framed

COMMENT_S = 1.0
NO_EVENT = b'data: {"id":"chatcmpl-\xff\x00","choices":[{{{\n\n'


@dataclass(frozen=True, slots=True)
class PromptCounts:
    """Of tokens."""

    tokens: int
    full: int  # in full blocks
    images: int
    is_chat: bool


class Stream:
    """Sends one answer. After `on_over` nobody calls it any more.

    Args:
        exchange: whom to answer.
        writer: how it is written.
        answer: what.
        is_stream: token by token, or whole at the end.
        has_usage: a stream's last event is `usage`.
        prompt: what it counts.
        fault: what is to go wrong.
        on_over: called once when no more tokens are wanted, before their natural end.
    """

    def __init__(
        self,
        exchange: Exchange,
        writer: Writer,
        answer: Answer,
        *,
        is_stream: bool,
        has_usage: bool,
        prompt: PromptCounts,
        fault: Fault | None,
        on_over: Callable[[], None],
    ) -> None:
        self._exchange = exchange
        self._writer = writer
        self._answer = answer
        self._is_stream = is_stream
        self._has_usage = has_usage
        self._prompt = prompt
        self._fault = fault
        self._on_over = on_over
        self._held: list[bytes] | None = None  # of a stream that stalls
        self._resuming: asyncio.TimerHandle | None = None
        self._commenting: asyncio.TimerHandle | None = None
        self.sent = 0  # tokens
        self.cached_tokens = 0
        exchange.on_gone = self._gone
        if is_stream:
            exchange.start_stream()
        self._strike()

    @property
    def finish_reason(self) -> str:
        return self._answer.finish_reason

    def token(self) -> None:
        """The engine has one token more."""
        word = self._answer.words[self.sent]
        self.sent += 1
        is_last = self.sent == len(self._answer.words)
        if self._is_stream:
            data = framed(first) if self.sent == 1 and (first := self._writer.first()) else b""
            if is_last:
                data += self._ending()
            else:
                data += framed(self._writer.token(word.text, word.id, is_first=self.sent == 1))
            self._write(data)
        if is_last:
            self._end()
        else:
            self._strike()

    def stop(self) -> None:
        """Forget it: the engine is gone, and the connection with it."""
        self._held = None
        self._cancel_timers()

    def _ending(self) -> bytes:
        answer, last = self._answer, self._answer.words[-1]
        reasons = answer.finish_reason, answer.stop_reason
        data = framed(self._writer.last(last.text, last.id, *reasons, is_end=not self._has_usage))
        if self._has_usage:
            data += framed(self._writer.usage(self._counts()))
        return data + framed(DONE)

    def _end(self) -> None:
        if self._held is not None:
            return  # `_resume` ends it
        self._cancel_timers()
        if self._is_stream:
            self._exchange.end()
        else:
            self._exchange.answer(200, self._whole())

    def _whole(self) -> bytes:
        answer = self._answer
        return self._writer.whole(answer.text, answer.ids, answer.finish_reason, answer.stop_reason, self._counts())

    def _counts(self) -> Counts:
        counts = self._prompt
        created = max(0, counts.full - self.cached_tokens) if counts.is_chat else None
        return Counts(counts.tokens, len(self._answer.words), self.cached_tokens, created, counts.images)

    def _write(self, data: bytes) -> None:
        if self._held is None:
            self._exchange.write(data)
        else:
            self._held.append(data)

    def _strike(self) -> None:
        """Let the fault happen, if its time has come. A whole answer shows it just as late as a stream."""
        fault = self._fault
        if fault is None or self.sent < fault.strikes_at:
            return
        self._fault = None
        if fault.is_stall:
            self._stall(fault)
        elif fault.kind is Kind.TRUNCATE:
            self._truncate()
        elif fault.kind is Kind.GARBAGE:
            self._spoil()

    def _stall(self, fault: Fault) -> None:
        self._held = []
        loop = asyncio.get_running_loop()
        if fault.lasts_s is not None:
            self._resuming = loop.call_later(fault.lasts_s, self._resume)
        if fault.kind is Kind.STALL_WITH_COMMENTS and self._is_stream:
            self._comment()

    def _comment(self) -> None:
        if self._held is not None and self._exchange.is_open:
            self._exchange.write(framed(KEEP_ALIVE))
            self._commenting = asyncio.get_running_loop().call_later(COMMENT_S, self._comment)

    def _resume(self) -> None:
        held, self._held = self._held, None
        self._cancel_timers()
        if held:
            self._exchange.write(b"".join(held))
        if self.sent == len(self._answer.words):
            self._end()

    def _truncate(self) -> None:
        if self._is_stream:
            self._exchange.write(b"40\r\ndata: {")  # a chunk of 64 bytes, of which seven come
        else:
            whole = self._whole()
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: application/json\r\n\r\n" % len(whole)
            self._exchange.write(head + whole[: len(whole) // 2])
        self._exchange.close()
        self._on_over()

    def _spoil(self) -> None:
        if self._is_stream:
            self._exchange.write(framed(NO_EVENT))
        else:
            self._exchange.answer(200, b'{"id":"chatcmpl-\xff\x00","choices":[{{{')
            self._on_over()

    def _gone(self) -> None:
        self._held = None
        self._cancel_timers()
        self._on_over()

    def _cancel_timers(self) -> None:
        for timer in (self._resuming, self._commenting):
            if timer is not None:
                timer.cancel()
