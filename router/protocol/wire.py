"""JSON decoding that fails in one way, and the shapes of what engines send.

Only ValueError leaves `read`, whatever the bytes: not JSON, wrong types, invalid UTF-8, nested too deeply.
"""

from typing import Any, TypeAlias

import msgspec

from router.policy.outcome import Usage

Decoder: TypeAlias = msgspec.json.Decoder[Any]


def read(decoder: Decoder, raw: bytes | msgspec.Raw | memoryview) -> Any:
    """Decode JSON with a decoder made before: making one for a union or a generic type costs far more than using it.

    Raises:
        ValueError: the bytes are not JSON of that shape; the message is safe to show.
    """
    try:
        return decoder.decode(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not valid UTF-8") from None
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


class PromptDetails(msgspec.Struct):
    """Of which the engine could skip the computation."""

    cached_tokens: int | None = None


class EngineUsage(msgspec.Struct):
    """The `usage` object of vLLM and other OpenAI-compatible engines."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None

    def read(self) -> Usage:
        """As the rest of the router knows it."""
        details = self.prompt_tokens_details
        return Usage(
            prompt_tokens=self.prompt_tokens or 0,
            completion_tokens=self.completion_tokens or 0,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
            tells_cached=details is not None and details.cached_tokens is not None,
        )


class EngineError(msgspec.Struct):
    """The value of `error` in vLLM's error bodies and stream events."""

    message: str = ""
    type: str | None = None
    param: str | None = None
    code: int | str | None = None


class Chunk(msgspec.Struct):
    """One event of a stream, of chat or of completions."""

    kind: str = msgspec.field(default="chat.completion.chunk", name="object")
    choices: list[dict[str, object]] | None = None
    usage: EngineUsage | None = None
    system_fingerprint: str | None = None
    error: object = None  # providers have many shapes for it (see dialects/errors)


NATIVE_TO_NORMAL = {
    **{reason: reason for reason in ("stop", "length", "tool_calls", "content_filter")},
    "function_call": "tool_calls",  # OpenAI's older word
    "tool_use": "tool_calls",  # what providers of other APIs let through from here on
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "max_tokens": "length",
    "model_length": "length",  # Mistral's
}
NULL_EXTRAS = ("stop_reason", "token_ids", "prompt_token_ids", "routed_experts")  # of choices; dropped while null


def normal_reason(native: str) -> str:
    """OpenRouter's finish reason for an engine's own; what is unknown (`abort`, …) is an error."""
    return NATIVE_TO_NORMAL.get(native, "error")
