"""What a caller is told who asked for more than its key may have: statuses, wordings and headers as OpenRouter's.

A rate is 429; a key's own limit 402; a guardrail's or a workspace's budget 403; a budget that is only reserved by
requests under way is 402 with `Retry-After`, because it may be free again in a moment.
"""

import math

from router.policy.key import NANO, Budget, Scope
from router.policy.quota import DenialReason, Denied, Standing
from router.protocol.errors import ApiError

_RATES = {
    DenialReason.REQUESTS: "requests-per-minute",
    DenialReason.TOKENS: "tokens-per-minute",
    DenialReason.CONCURRENT: "concurrent-requests",
}
_OWNERS = {Scope.GUARDRAIL: "Guardrail", Scope.WORKSPACE: "Workspace", Scope.KEY: "Key"}
_LEAST_WAIT_S = 1.0  # Retry-After has whole seconds


def of_denial(denied: Denied, unix_s: float) -> ApiError:
    """The error for a request that the key's quotas do not allow. `unix_s`: now."""
    if denied.reason in _RATES:
        standing = Standing(denied.limit, denied.remaining, denied.retry_after_s)
        headers = rate_headers(standing, unix_s)
        error = ApiError(
            "rate_limit_exceeded",
            f"Rate limit exceeded: {_RATES[denied.reason]}. This key may have {denied.limit}.",
            metadata={
                "reason": denied.reason.value,
                "headers": {name.decode(): value.decode() for name, value in headers},
            },
            retry_after_s=max(_LEAST_WAIT_S, denied.retry_after_s),
        )
        error.headers = headers
        return error
    assert denied.budget is not None
    if denied.reason is DenialReason.BUDGET_IN_FLIGHT:
        return ApiError(
            "payment_required",
            "The rest of the budget is reserved by requests that are under way. Please try again shortly.",
            metadata={
                "limit_source": "openrouter_in_flight_budget",
                "reason": "in_flight_budget_exhausted",
                "scope": denied.budget.scope.value,
            },
            retry_after_s=max(_LEAST_WAIT_S, denied.retry_after_s),
        )
    return _spent(denied.budget, unix_s)


def _spent(budget: Budget, unix_s: float) -> ApiError:
    ends = budget.interval.end(unix_s)
    owner = _OWNERS[budget.scope]
    metadata: dict[str, object] = {
        "scope": budget.scope.value,
        "interval": budget.interval.value,
        "limit_usd": budget.limit / NANO,
        "resets_at": ends,
    }
    words = f"{owner} {budget.interval.value} budget of ${budget.limit / NANO:.2f} exceeded."
    if budget.scope is Scope.KEY:
        return ApiError(
            "payment_required",
            f"Insufficient credits. {words}",
            metadata=metadata | {"limit_source": "openrouter_key_limit"},
        )
    return ApiError("permission_denied", f"{words} Contact your org admin.", metadata=metadata)


def rate_headers(standing: Standing, unix_s: float) -> list[tuple[bytes, bytes]]:
    """How much of its requests a key has left; the time of the reset in unix milliseconds, as OpenRouter has it."""
    return [
        (b"x-ratelimit-limit", b"%d" % standing.limit),
        (b"x-ratelimit-remaining", b"%d" % max(0, standing.remaining)),
        (b"x-ratelimit-reset", b"%d" % math.ceil((unix_s + standing.reset_s) * 1e3)),
    ]
