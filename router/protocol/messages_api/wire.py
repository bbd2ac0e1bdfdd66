"""What the gateway gives out, as far as a message is made of it; and what counts of tokens mean to Anthropic's clients.

`input_tokens` there are those that were neither read from a cache nor written to one.
"""

import msgspec

NULL = msgspec.Raw(b"null")


class Function(msgspec.Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    """A tool call, or a piece of one; other providers leave out, or null, what they please."""

    index: int | None = 0
    id: str | None = None
    function: Function | None = None

    @property
    def name(self) -> str:
        return (self.function and self.function.name) or ""

    @property
    def arguments(self) -> str:
        return (self.function and self.function.arguments) or ""


class Said(msgspec.Struct):
    """A message, or a delta."""

    content: msgspec.Raw = NULL
    reasoning: msgspec.Raw = NULL
    refusal: msgspec.Raw = NULL
    tool_calls: list[Call] | None = None


class Choice(msgspec.Struct):
    index: int = 0
    delta: Said = msgspec.field(default_factory=Said)
    message: Said = msgspec.field(default_factory=Said)
    finish_reason: str | None = None
    stop_reason: str | int | None = None  # vLLM's: the stop string that matched


class PromptDetails(msgspec.Struct):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class CompletionDetails(msgspec.Struct):
    reasoning_tokens: int = 0


class Counts(msgspec.Struct):
    """The chat's `usage`."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: PromptDetails = msgspec.field(default_factory=PromptDetails)
    completion_tokens_details: CompletionDetails = msgspec.field(default_factory=CompletionDetails)
    cost: float = 0.0
    is_byok: bool = False
    cost_details: msgspec.Raw = NULL

    def usage(self) -> dict[str, object]:
        """Anthropic's counts, with OpenRouter's prices beside them."""
        details, thinking = self.prompt_tokens_details, self.completion_tokens_details.reasoning_tokens
        other = details.cached_tokens + details.cache_write_tokens
        return {
            "input_tokens": max(0, self.prompt_tokens - other),
            "cache_creation_input_tokens": details.cache_write_tokens,
            "cache_read_input_tokens": details.cached_tokens,
            "output_tokens": self.completion_tokens,
            "output_tokens_details": {"thinking_tokens": thinking} if thinking else None,
            "server_tool_use": None,
            "cache_creation": None,
            "inference_geo": None,
            "service_tier": "standard",
            "cost": self.cost,
            "is_byok": self.is_byok,
            "cost_details": self.cost_details,
        }


class Failure(msgspec.Struct):
    """The chat's `error`, in a stream."""

    message: str
    code: int = 500
    metadata: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)


class Answer(msgspec.Struct):
    """A chat completion, or a chunk of one."""

    id: str = ""
    model: str = ""
    provider: str = ""
    choices: list[Choice] = msgspec.field(default_factory=list)
    usage: Counts | None = None
    error: Failure | None = None
    openrouter_metadata: msgspec.Raw = NULL


_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def stop_reason(
    finish_reason: str | None, matched: str | int | None, *, has_calls: bool
) -> tuple[str | None, str | None]:
    """Anthropic's reason, and the stop sequence that matched. An answer that failed has no reason.

    Chats that had to call a certain function end with `stop`; with calls to answer, that is `tool_use` here.
    """
    if finish_reason == "stop" and isinstance(matched, str):
        return "stop_sequence", matched
    if finish_reason == "stop" and has_calls:
        return "tool_use", None
    return _REASONS.get(finish_reason or ""), None


def is_said(text: msgspec.Raw) -> bool:
    """Is this the raw JSON of a string that is not empty?"""
    return len(memoryview(text)) > 2 and bytes(memoryview(text)[:1]) == b'"'


def message(answer: Answer, content: list[dict[str, object]], usage: dict[str, object]) -> dict[str, object]:
    """The message object, as a whole answer and the first event of a stream have it."""
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "provider": answer.provider,
        "content": content,
        "container": None,
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage,
    }
