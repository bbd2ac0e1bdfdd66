"""A chat's answer as a message of Anthropic's API, streamed and whole.

    message_start, (content_block_start, content_block_delta …, content_block_stop) …, message_delta, message_stop

Tokens are counted by the time the stream ends: `message_start` has the router's estimate of the prompt, `message_delta`
the true counts, which Anthropic's clients let replace it. Comments become `ping`. After an error there is nothing.
"""

import msgspec

from router.protocol.messages_api.blocks import TEXT, THINKING, Blocks, event, tool_block
from router.protocol.messages_api.errors import type_of
from router.protocol.messages_api.wire import NULL, Answer, Call, Choice, Counts, Failure, is_said, message, stop_reason
from router.protocol.sse import MAX_EVENT_BYTES, Framer, data_of
from router.protocol.wire import read

_PING = event(b"ping", b'{"type":"ping"}')
_answer = msgspec.json.Decoder(Answer)
_string = msgspec.json.Decoder(str)
_input = msgspec.json.Decoder(dict[str, msgspec.Raw])


class MessagesSkin:
    """Of one answer. `prompt_tokens`: the router's estimate."""

    def __init__(self, prompt_tokens: int = 0) -> None:
        self._counts = Counts(prompt_tokens=prompt_tokens)
        self._framer = Framer(2 * MAX_EVENT_BYTES)  # what comes was bounded before, and has grown since
        self._blocks: Blocks | None = None  # of a message that has begun
        self._finish: tuple[str | None, str | int | None] = None, None
        self._metadata = NULL
        self._is_over = False

    def feed(self, data: bytes) -> bytes:
        """See `Skin`."""
        return b"".join([self._event(each) for each in self._framer.feed(data)])

    def whole(self, body: bytes) -> bytes:
        """See `Skin`."""
        answer: Answer = read(_answer, body)
        choice = answer.choices[0] if answer.choices else Choice()
        usage = (answer.usage or self._counts).usage()
        content = _content(choice, answer.id)
        reason, sequence = stop_reason(
            choice.finish_reason, choice.stop_reason, has_calls=bool(choice.message.tool_calls)
        )
        more: dict[str, object] = {"stop_reason": reason, "stop_sequence": sequence}
        if answer.openrouter_metadata != NULL:
            more["openrouter_metadata"] = answer.openrouter_metadata
        return msgspec.json.encode(message(answer, content, usage) | more)

    def _event(self, chunk: bytes) -> bytes:
        if not chunk or self._is_over:
            return b""
        data = data_of(chunk)
        if data is None:
            return _PING
        if data == b"[DONE]":
            return self._end()
        answer: Answer = read(_answer, data)
        if answer.error is not None:
            return self._failed(answer.error, answer)
        if answer.usage is not None:
            self._counts = answer.usage
        if answer.openrouter_metadata != NULL:
            self._metadata = answer.openrouter_metadata
        if self._blocks is not None:
            return self._said(answer.choices, self._blocks)
        self._blocks = Blocks(f"toolu_{answer.id}_")
        start = {"type": "message_start", "message": message(answer, [], self._counts.usage())}
        return event(b"message_start", msgspec.json.encode(start)) + self._said(answer.choices, self._blocks)

    def _said(self, choices: list[Choice], blocks: Blocks) -> bytes:
        events: list[bytes] = []
        for choice in choices:
            delta = choice.delta
            for kind, text in ((THINKING, delta.reasoning), (TEXT, delta.content), (TEXT, delta.refusal)):
                if is_said(text):
                    events.append(blocks.say(kind, bytes(text)))
            events += [blocks.call(piece) for piece in delta.tool_calls or ()]
            if choice.finish_reason is not None and self._finish[0] is None:
                self._finish = choice.finish_reason, choice.stop_reason
        return b"".join(events)

    def _end(self) -> bytes:
        self._is_over = True
        finish, matched = self._finish
        if self._blocks is None or finish == "error":
            return self._failed(Failure("The provider ended the answer with an error."), Answer())
        reason, sequence = stop_reason(finish, matched, has_calls=self._blocks.has_calls)
        delta = {"container": None, "stop_reason": reason, "stop_sequence": sequence, "stop_details": None}
        ending = {"type": "message_delta", "delta": delta, "usage": self._counts.usage()}
        stop: dict[str, object] = {"type": "message_stop"}
        if self._metadata != NULL:
            stop["openrouter_metadata"] = self._metadata
        return (
            self._blocks.end()
            + event(b"message_delta", msgspec.json.encode(ending))
            + event(b"message_stop", msgspec.json.encode(stop))
        )

    def _failed(self, failure: Failure, answer: Answer) -> bytes:
        self._is_over = True
        kind = read(_string, failure.metadata.get("error_type", _UNMAPPED))
        said = {"type": type_of(kind, failure.code), "message": failure.message, "error_type": kind}
        body: dict[str, object] = {"type": "error", "error": said}
        if answer.id:
            body["request_id"] = answer.id
        if answer.openrouter_metadata != NULL:
            body["openrouter_metadata"] = answer.openrouter_metadata
        return event(b"error", msgspec.json.encode(body))


_UNMAPPED = msgspec.Raw(b'"unmapped"')


def _content(choice: Choice, answer_id: str) -> list[dict[str, object]]:
    """The blocks of a whole answer."""
    said, content = choice.message, list[dict[str, object]]()
    if is_said(said.reasoning):
        content.append({"type": "thinking", "thinking": said.reasoning, "signature": ""})
    for text in (said.content, said.refusal):
        if is_said(text):
            content.append({"type": "text", "text": text, "citations": None})
    for index, call in enumerate(said.tool_calls or ()):
        block_id = call.id or f"toolu_{answer_id}_{index}"
        content.append(tool_block(block_id, call.name, _arguments(call)))
    return content


def _arguments(call: Call) -> object:
    """An object; what a model wrote that is none is kept, so that it can be told what was wrong."""
    raw = (call.arguments or "{}").encode()
    try:
        given: dict[str, msgspec.Raw] = read(_input, raw)
    except ValueError:
        return {"arguments": call.arguments}
    return given
