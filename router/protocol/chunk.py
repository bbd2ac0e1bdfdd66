"""Chunks of a stream in OpenRouter's shape: how they are written, and how an engine's choice becomes one of ours."""

from dataclasses import dataclass

import msgspec

from router.protocol.wire import NULL_EXTRAS, normal_reason

CHAT = "chat.completion.chunk"
TEXT = "text_completion"
DONE = b"data: [DONE]\n\n"
_SAID = ("content", "tool_calls", "reasoning", "refusal")


@dataclass(frozen=True, slots=True)
class Identity:
    """What an answer is called, over all attempts that it takes."""

    generation_id: str
    model: str  # the slug that callers see
    provider: str  # display name
    created: int  # Unix time, seconds

    def chunk(self, kind: str, more: dict[str, object]) -> bytes:
        """One event; `kind` is the value of `object`."""
        body = {"id": self.generation_id, "provider": self.provider, "model": self.model, "object": kind}
        return b"data: " + msgspec.json.encode({**body, "created": self.created, **more}) + b"\n\n"


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a chunk, rewritten, and what was learnt on the way."""

    fields: dict[str, object]
    index: int
    reason: str | None
    native_reason: str | None
    has_text: bool  # or a piece of a tool call


def empty_choice(kind: str, finish_reason: str | None, native_reason: str | None) -> dict[str, object]:
    """A first choice that says nothing but why it ended."""
    text: dict[str, object] = {"delta": {"role": "assistant", "content": ""}} if kind == CHAT else {"text": ""}
    return {"index": 0, **text, "finish_reason": finish_reason, "native_finish_reason": native_reason}


def read_choice(choice: dict[str, object]) -> Choice:
    """Rewrite an engine's choice: `role` in the delta, both finish reasons, no null extras."""
    fields = {key: value for key, value in choice.items() if value is not None or key not in NULL_EXTRAS}
    given, native = fields.pop("finish_reason", None), fields.pop("native_finish_reason", None)
    reason = normal_reason(given) if isinstance(given, str) else None
    if reason is None:
        native = None
    elif not isinstance(native, str):  # another router's is the native one of who answered it
        native = given
    index = fields.get("index")
    delta = fields.get("delta")
    said = _delta(delta) if isinstance(delta, dict) else {"content": fields.get("text")}
    if isinstance(delta, dict):
        fields["delta"] = said
    fields["finish_reason"] = reason
    fields["native_finish_reason"] = native
    return Choice(
        fields=fields,
        index=index if isinstance(index, int) else 0,
        reason=reason,
        native_reason=native if isinstance(native, str) else None,
        has_text=any(said.get(key) for key in _SAID),
    )


def _delta(delta: dict[str, object]) -> dict[str, object]:
    """With `role`, and reasoning under OpenRouter's name."""
    said = {"role": "assistant", **(delta or {"content": ""})}
    if said["role"] is None:
        said["role"] = "assistant"
    thought = said.pop("reasoning_content", None)  # DeepSeek's name, and older vLLM's
    if thought is not None and said.get("reasoning") is None:
        said["reasoning"] = thought
    return said
