"""A stream of vLLM's chunks becomes OpenRouter's, mostly without being parsed.

Ordinary chunks have their ends exchanged (see layout) and their text is passed as bytes. Everything else is parsed:
finish reasons, usage, errors, tool calls, logprobs, and whatever looks unlike vLLM's. What comes out does not depend on
how the input was cut.

Usage is held until `[DONE]`, so that the end of a stream (usage, then `[DONE]`) leaves in one piece, and only if every
choice has finished. After a failure nothing is given out: the caller decides what the client sees.
"""

from collections.abc import Callable

import msgspec

from router.policy.catalog import Price
from router.policy.outcome import Outcome, StreamBroken, Usage, Verdict
from router.protocol.chunk import CHAT, DONE, TEXT, Identity, empty_choice, read_choice
from router.protocol.dialects.codes import verdict_of
from router.protocol.dialects.errors import told
from router.protocol.errors import ApiError, error_object
from router.protocol.layout import Layout, learn
from router.protocol.sse import MAX_EVENT_BYTES, Framer, data_of
from router.protocol.usage import insured, usage_object
from router.protocol.wire import Chunk, read

_chunk = msgspec.json.Decoder(Chunk)


class Splicer:
    """Rewrites one stream; one per attempt.

    Args:
        identity: what the answer is called.
        price: for the cost in the usage chunk.
        choices: how many were asked for (`n`, times the number of prompts).
        prompt_tokens: estimate, used if the engine never tells.
        max_event_bytes: longer events break the stream.
        explain: how the request was routed, told at the end; None: the caller does not want to know.
    """

    def __init__(
        self,
        identity: Identity,
        price: Price,
        *,
        choices: int = 1,
        prompt_tokens: int = 0,
        max_event_bytes: int = MAX_EVENT_BYTES,
        explain: Callable[[], dict[str, object] | None] = lambda: None,
    ) -> None:
        self._identity = identity
        self._price = price
        self._choices = choices
        self._prompt_tokens = prompt_tokens
        self._explain = explain
        self._framer = Framer(max_event_bytes)
        self._kind = CHAT
        self._has_begun = False  # a chunk was read
        self._fingerprint: str | None = None
        self._layout: Layout | None = None  # learnt from the first chunk; forgotten at the end
        self._finished: dict[int, tuple[str, str | None]] = {}  # by choice: the reason in our words, and natively
        self._usage: Usage | None = None
        self.tokens_seen = 0  # chunks with text: about one token each
        self.is_done = False  # `[DONE]` seen after every choice had finished
        self.failure: Outcome | None = None  # set once; nothing is given out after it

    @property
    def usage(self) -> Usage:
        """The engine's count, or as long as it is unknown our own."""
        return self._usage or Usage(self._prompt_tokens, self.tokens_seen, is_exact=False)

    @property
    def finish_reason(self) -> str | None:
        """Of the first choice, in OpenRouter's words; None while it runs."""
        return self._finished[0][0] if 0 in self._finished else None

    @property
    def native_finish_reason(self) -> str | None:
        """Of the first choice, in the engine's words."""
        return self._finished[0][1] if 0 in self._finished else None

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the engine; give bytes for the client, perhaps none. Look at `failure` afterwards."""
        if self._layout is not None and self._framer.is_idle:
            chunk = self._layout.exchange(data, is_whole=True)
            if chunk is not None:  # nearly always: engines write one event at a time
                self.tokens_seen += 1
                return chunk
        try:
            events = self._framer.feed(data)
        except StreamBroken as broken:
            return self._fail(self.failure or broken.outcome)
        return b"".join([self._event(event) for event in events])

    def finish(self) -> None:
        """The engine's stream is at its end: was it a good one?

        Raises:
            StreamBroken: it failed, or ended before every choice had a finish reason and `[DONE]` had come.
        """
        if not self.is_done:
            self._break("the stream ended before its end was announced")
        if self.failure is not None:
            raise StreamBroken(self.failure)

    def error_event(self, error: ApiError) -> bytes:
        """A well-formed last chunk that carries `error`, and `[DONE]`."""
        choices = [empty_choice(self._kind, "error", "error")]
        more: dict[str, object] = {"error": error_object(error), "choices": choices}
        return self._identity.chunk(self._kind, more | self._explained()) + DONE

    def _explained(self) -> dict[str, object]:
        explained = self._explain()
        return {} if explained is None else {"openrouter_metadata": explained}

    @property
    def _is_over(self) -> bool:
        return self.is_done or self.failure is not None

    def _event(self, event: bytes) -> bytes:
        if self._layout is not None:
            chunk = self._layout.exchange(event, is_whole=False)
            if chunk is not None:
                self.tokens_seen += 1
                return chunk
        return self._parsed(event)

    def _parsed(self, event: bytes) -> bytes:
        data = None if self._is_over else data_of(event)
        if data is None:
            return b""
        if data == b"[DONE]":
            return self._end()
        try:
            chunk: Chunk = read(_chunk, data)
        except ValueError as error:
            return self._break(f"an event of the stream could not be read: {error}")
        if chunk.error is not None:
            return self._failed(chunk.error)
        if chunk.choices is None:
            return self._break("an event of the stream has no choices")
        self._has_begun = True
        if self._layout is None:
            self._kind = chunk.kind if chunk.kind == TEXT else CHAT  # some providers leave it empty
            self._layout = learn(event.lstrip(b"\n"), self._kind, self._identity)
        self._fingerprint = chunk.system_fingerprint or self._fingerprint
        if chunk.usage is not None and chunk.usage.prompt_tokens is not None:
            self._usage = chunk.usage.read()
        choices = [read_choice(choice) for choice in chunk.choices]
        for choice in choices:
            self.tokens_seen += choice.has_text
            if choice.reason is not None:
                self._finished[choice.index] = choice.reason, choice.native_reason
        return self._identity.chunk(self._kind, {"choices": [choice.fields for choice in choices]}) if choices else b""

    def _end(self) -> bytes:
        if len(self._finished) < self._choices:
            return self._break("the stream ended without a finish reason")
        self.is_done = True
        self._layout = None
        last = {**empty_choice(self._kind, self.finish_reason, self.native_finish_reason), "logprobs": None}
        more: dict[str, object] = {} if self._fingerprint is None else {"system_fingerprint": self._fingerprint}
        more |= {
            "choices": [last],
            "usage": usage_object(self.usage, insured(self._price, self.usage, self.finish_reason)),
            **self._explained(),
        }
        return self._identity.chunk(self._kind, more) + DONE

    def _break(self, detail: str) -> bytes:
        """Nonsense in place of a first chunk is no answer at all, and another endpoint may do better."""
        broken = Outcome(Verdict.BROKEN, detail=detail)
        return self._fail(self.failure or (broken if self._has_begun else Outcome(Verdict.UNAVAILABLE, 200, detail)))

    def _fail(self, failure: Outcome) -> bytes:
        self.failure = failure
        self._layout = None
        return b""

    def _failed(self, error: object) -> bytes:
        """The engine says what went wrong. Only an error in place of a first token can be the caller's fault."""
        status, message = told(error)
        verdict = Verdict.UNAVAILABLE if status is None else verdict_of(status)
        return self._fail(Outcome(Verdict.BROKEN if self.tokens_seen else verdict, status=status, detail=message))
