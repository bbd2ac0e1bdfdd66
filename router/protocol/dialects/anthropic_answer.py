"""An answer of Anthropic's messages as a chat completion: text, calls of tools, reasoning, why it ended, what it took.

Cached tokens are beside the others there and part of them here.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from router.protocol.wire import read

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
)


class Usage(msgspec.Struct):
    """Of a message; in a stream it comes in parts."""

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None

    def update(self, later: "Usage") -> None:
        """What a later part says counts; counts of a stream are cumulative."""
        for name in self.__struct_fields__:
            if (count := getattr(later, name)) is not None:
                setattr(self, name, count)

    def written(self) -> dict[str, object]:
        """As the `usage` of a chat completion."""
        cached = self.cache_read_input_tokens or 0
        prompt = (self.input_tokens or 0) + cached + (self.cache_creation_input_tokens or 0)
        output = self.output_tokens or 0
        return {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": cached},
        }


class Block(msgspec.Struct):
    """Of a content; which fields are there depends on the type."""

    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    thinking: str = ""
    signature: str = ""
    data: str = ""


class _Message(msgspec.Struct):
    content: list[Block]
    stop_reason: str | None = None
    usage: Usage = msgspec.field(default_factory=Usage)


_message = msgspec.json.Decoder(_Message)


def whole(body: bytes) -> bytes:
    """A whole message as a chat completion.

    Raises:
        ValueError: it is no message.
    """
    message: _Message = read(_message, body)
    reason = message.stop_reason
    choice = {
        "index": 0,
        "message": _said(message.content),
        "finish_reason": None if reason is None else REASONS.get(reason, "error"),
        "native_finish_reason": reason,
    }
    answer = {"object": "chat.completion", "choices": [choice], "usage": message.usage.written()}
    return msgspec.json.encode(answer)


def _said(blocks: list[Block]) -> dict[str, object]:
    text = "".join([block.text for block in blocks if block.type == "text"])
    calls = [
        {"id": block.id, "type": "function", "function": {"name": block.name, "arguments": bytes(block.input).decode()}}
        for block in blocks
        if block.type == "tool_use"
    ]
    said: dict[str, object] = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        said["tool_calls"] = calls
    thoughts = [block for block in blocks if block.type in ("thinking", "redacted_thinking")]
    if thoughts:
        said["reasoning"] = "".join([block.thinking for block in thoughts])
        said["reasoning_details"] = [_detail(block, index) for index, block in enumerate(thoughts)]
    return said


def _detail(block: Block, index: int) -> dict[str, object]:
    if block.type == "redacted_thinking":
        return {"type": "reasoning.encrypted", "data": block.data, "format": "anthropic-claude-v1", "index": index}
    return {
        "type": "reasoning.text",
        "text": block.thinking,
        "signature": block.signature,
        "format": "anthropic-claude-v1",
        "index": index,
    }
