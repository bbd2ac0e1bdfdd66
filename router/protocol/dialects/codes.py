"""What a foreign provider's status or code means: a verdict. The one table for heads of answers and for streams.

- 401, 402, 403 and 404 are between the provider and the router (its key, its credit, its name of the model): another
  provider may do better, and the caller can mend nothing.
- 429, 503 and Anthropic's 529 are back-pressure. 408, 504 and Cloudflare's 522 and 524 are time that ran out.
- Other 4xx are the caller's. Anything else is a provider that does not work.
"""

from collections.abc import Mapping
from types import MappingProxyType

from router.policy.outcome import Verdict

_OURS = frozenset({401, 402, 403, 404, 407})
_BUSY = frozenset({503, 529})
_LATE = frozenset({408, 504, 522, 524})

# Names that stand where a number should: OpenAI's, Anthropic's, Mistral's, OpenRouter's.
_STATUS_OF: Mapping[str, int] = MappingProxyType(
    {
        "invalid_request_error": 400,
        "invalid_request": 400,
        "invalid_prompt": 400,
        "context_length_exceeded": 400,
        "content_policy_violation": 400,
        "content_filter": 400,
        "authentication_error": 401,
        "authentication": 401,
        "invalid_api_key": 401,
        "billing_error": 402,
        "payment_required": 402,
        "insufficient_quota": 402,
        "permission_error": 403,
        "permission_denied": 403,
        "not_found_error": 404,
        "not_found": 404,
        "model_not_found": 404,
        "request_too_large": 413,
        "payload_too_large": 413,
        "rate_limit_error": 429,
        "rate_limit_exceeded": 429,
        "rate_limited": 429,
        "api_error": 500,
        "server_error": 500,
        "server": 500,
        "provider_unavailable": 502,
        "provider_overloaded": 503,
        "timeout_error": 504,
        "timeout": 504,
        "overloaded_error": 529,
    }
)


def verdict_of(status: int) -> Verdict:
    """The verdict on an HTTP status other than 200, or on a code that stands for one."""
    if status == 429:
        return Verdict.RATE_LIMITED
    if status in _BUSY:
        return Verdict.OVERLOADED
    if status in _LATE:
        return Verdict.TIMEOUT
    if status in _OURS or not 400 <= status < 500:
        return Verdict.UNAVAILABLE
    return Verdict.REJECTED


def status_of(code: object, kind: object = None) -> int | None:
    """The status that an error's `code` or `type` stands for; None: neither says."""
    for given in (code, kind):
        if isinstance(given, int) and 400 <= given < 600:
            return given
        if isinstance(given, str):
            if given.isascii() and given.isdigit() and len(given) == 3:
                return int(given)
            if given in _STATUS_OF:
                return _STATUS_OF[given]
    return None
