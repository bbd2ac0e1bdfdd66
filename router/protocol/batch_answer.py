"""What is kept of an answer to one request of a batch: the error that it is, or what it used."""

from dataclasses import dataclass

import msgspec

from router.policy.key import NANO

_MOST = 2**53  # tokens and nano-dollars; more is a mistake of whoever counted
_LONGEST = 2_048  # characters of a message


class _Cached(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    """In the words of chat completions, and in those of responses and messages."""

    prompt_tokens: int | None = None
    input_tokens: int | None = None
    completion_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cost: float | None = None
    prompt_tokens_details: _Cached | None = None
    input_tokens_details: _Cached | None = None
    completion_tokens_details: _Cached | None = None
    output_tokens_details: _Cached | None = None


class _Answer(msgspec.Struct):
    usage: _Usage | None = None


class _Metadata(msgspec.Struct):
    error_type: str | None = None
    field: str | None = None


class _Error(msgspec.Struct):
    message: str = ""
    type: str | None = None
    error_type: str | None = None
    param: str | None = None
    metadata: _Metadata | None = None


class _Failed(msgspec.Struct):
    error: _Error


@dataclass(frozen=True, slots=True)
class Used:
    """By one request, or by all of a batch."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cost: int = 0  # nano-dollars


NOTHING_USED = Used()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request has no answer."""

    error_type: str
    message: str
    param: str | None = None  # the field at fault


_answer = msgspec.json.Decoder(_Answer)
_failed = msgspec.json.Decoder(_Failed)


def read_usage(body: bytes) -> Used:
    """All zero where the answer does not say."""
    try:
        usage = _answer.decode(body).usage
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        usage = None
    if usage is None:
        return NOTHING_USED
    read = usage.prompt_tokens_details or usage.input_tokens_details or _Cached()
    written = usage.completion_tokens_details or usage.output_tokens_details or _Cached()
    return Used(
        prompt_tokens=_count(usage.prompt_tokens or usage.input_tokens),
        cached_tokens=_count(read.cached_tokens or usage.cache_read_input_tokens),
        completion_tokens=_count(usage.completion_tokens or usage.output_tokens),
        reasoning_tokens=_count(written.reasoning_tokens),
        cost=_count(round((usage.cost or 0.0) * NANO)),
    )


def read_failure(status: int, body: bytes) -> Failure:
    """Of an answer with such an HTTP status, in the words of whichever API."""
    try:
        error = _failed.decode(body).error
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Failure("unmapped", f"The request was answered with status {status}.")
    metadata = error.metadata or _Metadata()
    kind = metadata.error_type or error.error_type or error.type or "unmapped"
    return Failure(kind[:_LONGEST], error.message[:_LONGEST], (metadata.field or error.param or "")[:_LONGEST] or None)


def _count(number: int | None) -> int:
    return max(0, min(number or 0, _MOST))
