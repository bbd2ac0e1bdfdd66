"""From the end of an attempt to what the caller is told: foreign errors are translated here, once.

The engine's own words come through where the caller can do something with them, scrubbed; an overflow of the context in
the words that clients look for. The real reason stands in `message`, not only in `metadata.raw`.
"""

import re

import msgspec

from router.policy.outcome import Outcome, Phase, Verdict
from router.protocol.errors import ApiError
from router.protocol.scrub import scrub
from router.protocol.wire import EngineError, read


class _ErrorBody(msgspec.Struct):
    error: EngineError | str


_error_body = msgspec.json.Decoder(_ErrorBody)
_flat_error = msgspec.json.Decoder(EngineError)

# vLLM 0.29's ways to say that it is too long (vllm/renderers/params.py, entrypoints/serve/utils/api_utils.py).
_CONTEXT = re.compile(r"maximum context length is (\d+) tokens.*?requested (\d+) output tokens")
_INPUT_TOKENS = re.compile(r"contains (?:at least )?(\d+) input tokens")
_CHARACTERS = re.compile(r"contains (\d+) characters")
_INPUT_LENGTH = re.compile(r"Input length \((\d+)\) exceeds model's maximum context length \((\d+)\)")
_MAX_TOKENS = re.compile(r"(max_(?:completion_)?tokens)=(\d+) cannot be greater than \w+=(?:max_total_tokens=)?(\d+)")
_PYDANTIC = re.compile(r"'msg': '([^']{1,300})'")
_FIELD = re.compile(r"\w[\w.\[\]-]{0,127}")  # a path of ours; an engine may repeat whatever it was sent
_CHARS_PER_TOKEN = 4
# OpenAI's and OpenRouter's way, Mistral's, and Anthropic's.
_REQUESTED = re.compile(
    r"maximum context length is (\d{1,9}) tokens\. However, you requested (?:about )?(\d{1,9}) tokens"
    r" \((\d{1,9}) [^,]{1,64}, (\d{1,9}) "
)
_RESULTED = re.compile(
    r"maximum context length is (\d{1,9}) tokens\. However, your messages resulted in (\d{1,9}) tokens"
)
_TOO_LARGE = re.compile(r"Prompt contains (\d{1,9}) tokens.{0,64}?model with (\d{1,9}) maximum context length")
_TOO_LONG = re.compile(r"prompt is too long: (\d{1,9}) tokens > (\d{1,9}) maximum")

_TIMEOUTS = {
    Phase.CONNECT: "could not be reached in time",
    Phase.FIRST_TOKEN: "did not begin to answer in time",
    Phase.IDLE: "stopped answering",
    Phase.TOTAL: "did not finish in time",
}


def of_outcome(outcome: Outcome, *, provider: str, body: bytes = b"") -> ApiError:
    """What a caller sees of a failed attempt.

    Args:
        outcome: how it ended.
        provider: its provider's display name.
        body: the error body that the endpoint sent, if any.

    Raises:
        ValueError: the attempt did not fail.
    """
    known = _read(body)
    detail = scrub(known.message or outcome.detail)
    metadata: dict[str, object] = {"provider_name": provider, "raw": detail}
    reason = f": {detail}" if detail else ""
    match outcome.verdict:
        case Verdict.OK:
            raise ValueError("an attempt that went well has no error")
        case Verdict.REJECTED:
            return _rejected(outcome.status or 400, known, detail, metadata)
        case Verdict.RATE_LIMITED:
            kind, message = "rate_limit_exceeded", f"Provider returned error: rate limit exceeded{reason}"
        case Verdict.OVERLOADED:
            kind, message = "provider_overloaded", f"The provider is overloaded, try again later{reason}"
        case Verdict.TIMEOUT:
            phase = _TIMEOUTS.get(outcome.phase or Phase.TOTAL)
            kind, message = "timeout", f"The provider {phase}"
        case Verdict.CANCELLED:
            kind, message = "client_closed_request", "The request was cancelled"
        case _:  # UNAVAILABLE, BROKEN
            kind, message = "provider_unavailable", f"Provider returned error{reason}"
    return ApiError(kind, message, metadata=metadata, retry_after_s=outcome.retry_after_s)


def _read(body: bytes) -> EngineError:
    for decoder in (_error_body, _flat_error):
        try:
            known = read(decoder, body)
        except ValueError:
            continue
        error = known.error if isinstance(known, _ErrorBody) else known
        return error if isinstance(error, EngineError) else EngineError(message=error)
    return EngineError()


def _rejected(status: int, known: EngineError, detail: str, metadata: dict[str, object]) -> ApiError:
    if status in (401, 402, 403, 404):  # our key, our credit, our name of the model: nothing the caller could mend
        return ApiError("provider_unavailable", "Provider returned error: it refused the router", metadata=metadata)
    if status == 413:
        return ApiError("payload_too_large", detail or "The request is too large", metadata=metadata)
    overflow = _overflow(detail, metadata)
    if overflow is not None:
        return overflow
    found = _FIELD.fullmatch((known.param or "").removeprefix("body."))
    field = found[0] if found else None
    problems = _PYDANTIC.findall(detail)
    message = "; ".join(problems) if problems else detail or "The provider refused the request"
    if field is not None and not re.search(rf"\b{re.escape(field)}\b", message):
        message = f"{field}: {message}"
    kind = "unprocessable" if status == 422 else "invalid_request"
    return ApiError(kind, message, field=field, metadata=metadata)


def _overflow(detail: str, metadata: dict[str, object]) -> ApiError | None:
    """The context is too short, in OpenRouter's words with the engine's numbers."""
    if found := _MAX_TOKENS.search(detail):
        field, asked, limit = found[1], int(found[2]), int(found[3])
        return context_overflow(limit, 0, asked, metadata, field=field)
    if found := _INPUT_LENGTH.search(detail):
        return context_overflow(int(found[2]), int(found[1]), 0, metadata)
    if found := _REQUESTED.search(detail):
        return context_overflow(int(found[1]), int(found[3]), int(found[4]), metadata)
    if found := _RESULTED.search(detail):
        return context_overflow(int(found[1]), int(found[2]), 0, metadata)
    if found := _TOO_LARGE.search(detail) or _TOO_LONG.search(detail):
        return context_overflow(int(found[2]), int(found[1]), 0, metadata)
    if found := _CONTEXT.search(detail):
        limit, output = int(found[1]), int(found[2])
        if tokens := _INPUT_TOKENS.search(detail):
            return context_overflow(limit, int(tokens[1]), output, metadata)
        if characters := _CHARACTERS.search(detail):
            return context_overflow(limit, int(characters[1]) // _CHARS_PER_TOKEN, output, metadata)
    return None


def context_overflow(
    limit: int, text: int, output: int, metadata: dict[str, object], field: str | None = None
) -> ApiError:
    """Prompt and answer do not fit together; all figures in tokens. Clients look for exactly these words."""
    message = (
        f"This endpoint's maximum context length is {limit} tokens. However, you requested about {text + output} "
        f"tokens ({text} of text input, {output} in the output). Please reduce the length of either one, or use the "
        "context-compression plugin to compress your prompt automatically."
    )
    return ApiError("context_length_exceeded", message, field=field, metadata=metadata)
