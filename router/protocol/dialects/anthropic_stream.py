"""A stream of Anthropic's events as one of chat completion chunks, written as vLLM writes them.

So the rest of the router (see splice) reads it as it reads an engine's: pieces of text in exactly the bytes that it
passes on without parsing, usage at the end, `[DONE]` only after `message_stop`. Nothing is given out before the first
block begins: until then a failure is invisible to the caller, and another pool may answer. An error becomes an error
chunk, and nothing comes after it.
"""

import msgspec

from router.policy.outcome import StreamBroken
from router.protocol.chunk import CHAT, DONE
from router.protocol.dialects.anthropic_answer import REASONS, Block, Usage
from router.protocol.dialects.codes import status_of
from router.protocol.sse import Framer, data_of
from router.protocol.wire import read

_PREFIX = b'data: {"id":"-","object":"%b","created":0,"model":"-","choices":[' % CHAT.encode()
_TEXT = _PREFIX + b'{"index":0,"delta":{"content":%b},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n'
_EMPTY = b'""'


class _Delta(msgspec.Struct):
    type: str = ""
    text: msgspec.Raw = msgspec.Raw(_EMPTY)
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    stop_reason: str | None = None


class _Message(msgspec.Struct):
    usage: Usage = msgspec.field(default_factory=Usage)


class _Error(msgspec.Struct):
    type: str = ""
    message: str = ""


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: Block | None = None
    delta: _Delta | None = None
    usage: Usage | None = None
    error: _Error | None = None


_event = msgspec.json.Decoder(_Event)


class AnthropicStream:
    """One stream, event by event. `feed` takes bytes cut anywhere."""

    def __init__(self) -> None:
        self._framer = Framer()
        self._usage = Usage()
        self._calls: dict[int, int] = {}  # index of a block to that of its call
        self._has_input: set[int] = set()  # calls of which a piece of the input has come
        self._thoughts: dict[int, int] = {}  # index of a block to that of its reasoning detail
        self._has_begun = False
        self._is_over = False

    def feed(self, data: bytes) -> bytes:
        """What the chunks are that these bytes complete; b"": none yet."""
        try:
            events = self._framer.feed(data)
        except StreamBroken as broken:
            return self._fail(broken.outcome.detail, 502)
        return b"".join([self._read(event) for event in events])

    def _read(self, raw: bytes) -> bytes:
        data = None if self._is_over else data_of(raw)
        if data is None:
            return b""
        try:
            event: _Event = read(_event, data)
        except ValueError as error:
            return self._fail(f"an event of the stream could not be read: {error}", 502)
        match event.type:
            case "content_block_delta" if event.delta is not None:
                return self._piece(event.index, event.delta)
            case "message_start" if event.message is not None:
                self._usage.update(event.message.usage)
            case "content_block_start" if event.content_block is not None:
                return self._begin() + self._block(event.index, event.content_block)
            case "content_block_stop" if event.index in self._calls:
                return self._call_ended(self._calls[event.index])
            case "message_delta" if event.delta is not None:
                if event.usage is not None:
                    self._usage.update(event.usage)
                return self._ended(event.delta.stop_reason)
            case "message_stop":
                self._is_over = True
                usage = msgspec.json.encode(self._usage.written())
                return self._begin() + _PREFIX + b'],"usage":' + usage + b"}\n\n" + DONE
            case "error" if event.error is not None:
                return self._fail(event.error.message, status_of(event.error.type) or 500)
        return b""  # ping, and whatever is new

    def _begin(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        return _chunk({"role": "assistant", "content": ""})

    def _block(self, index: int, block: Block) -> bytes:
        match block.type:
            case "tool_use":
                number = self._calls[index] = len(self._calls)
                function = {"name": block.name, "arguments": ""}
                call = {"index": number, "id": block.id, "type": "function", "function": function}
                return _chunk({"tool_calls": [call]})
            case "text" if block.text:
                return _chunk({"content": block.text})
            case "thinking":
                self._thoughts[index] = len(self._thoughts)
            case "redacted_thinking":
                number = self._thoughts[index] = len(self._thoughts)
                return _chunk(_details("reasoning.encrypted", number, data=block.data))
        return b""

    def _piece(self, index: int, delta: _Delta) -> bytes:
        match delta.type:
            case "text_delta":
                return self._begin() + _TEXT % bytes(delta.text)
            case "input_json_delta" if delta.partial_json and index in self._calls:
                return self._input(self._calls[index], delta.partial_json)
            case "thinking_delta":
                number = self._thoughts.setdefault(index, len(self._thoughts))
                said = {"reasoning": delta.thinking, **_details("reasoning.text", number, text=delta.thinking)}
                return self._begin() + _chunk(said)
            case "signature_delta":
                number = self._thoughts.setdefault(index, len(self._thoughts))
                return self._begin() + _chunk(_details("reasoning.text", number, signature=delta.signature))
        return b""  # citations, and whatever is new

    def _input(self, number: int, text: str) -> bytes:
        self._has_input.add(number)
        return _chunk({"tool_calls": [{"index": number, "function": {"arguments": text}}]})

    def _call_ended(self, number: int) -> bytes:
        """Where no input came, the function takes nothing: the arguments are an object all the same."""
        return b"" if number in self._has_input else self._input(number, "{}")

    def _ended(self, reason: str | None) -> bytes:
        if reason is None:
            return b""
        return self._begin() + _chunk({"content": ""}, REASONS.get(reason, "error"), reason)

    def _fail(self, message: str, status: int) -> bytes:
        self._is_over = True
        return b"data: " + msgspec.json.encode({"error": {"message": message, "code": status}}) + b"\n\n"


def _chunk(delta: dict[str, object], reason: str | None = None, native: str | None = None) -> bytes:
    choice: dict[str, object] = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    if native is not None:
        choice["native_finish_reason"] = native
    return _PREFIX + msgspec.json.encode(choice) + b"]}\n\n"


def _details(kind: str, index: int, **more: str) -> dict[str, object]:
    return {"reasoning_details": [{"type": kind, **more, "format": "anthropic-claude-v1", "index": index}]}
