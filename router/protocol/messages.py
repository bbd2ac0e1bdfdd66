"""A conversation's messages as values."""

from dataclasses import dataclass, field

import msgspec

ROLES = ("system", "developer", "user", "assistant", "tool")


class Function(msgspec.Struct):
    """What a call calls; `arguments` is JSON in a string."""

    name: str
    arguments: str = ""


class ToolCall(msgspec.Struct):
    """One entry of an assistant message's `tool_calls`."""

    id: str
    function: Function
    type: str = "function"


@dataclass(slots=True)
class Message:
    """One message. `content` is a raw JSON string or array; None if absent, null or empty."""

    role: str
    path: str  # for errors: messages[3]
    content: bytes | None
    tool_calls: list[ToolCall] = field(default_factory=list)
    tool_call_id: str | None = None
    name: str | None = None
    has_thoughts: bool = False  # reasoning of an earlier answer, which Mistral's templates refuse
