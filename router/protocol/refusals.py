"""What a caller is told when no answer could be had: the policy's refusal in the API's words."""

from collections.abc import Set

from router.policy.call import Call
from router.policy.plan import Plan
from router.policy.route import Reason, Refusal
from router.protocol.errors import ApiError
from router.protocol.failures import context_overflow, of_outcome

_REASONS = {
    Reason.LATE: "every endpoint of {model} has too much to do to begin your request in time",
    Reason.FULL: "too many requests wait for {model}",
    Reason.EXPIRED: "your request waited for {model} as long as it may",
}
NOTHING_UP_RETRY_AFTER_S = 5.0  # an engine on a warm node is back in about this time; clients back off on their own


def no_pool(call: Call, planned: Plan, known_models: Set[str]) -> ApiError:
    """No pool may serve the call: an unknown model, or all were excluded for reasons that are named."""
    if known_models.isdisjoint(call.models):
        return ApiError(
            "invalid_request",
            f"{call.model} is not a valid model ID",
            field="model",
            metadata={"availability": _availability(call, "model_not_found", is_retryable=False)},
        )
    reasons = {exclusion.reason for exclusion in planned.excluded}
    if reasons == {"context_length"}:
        limit = max(exclusion.pool.context_length for exclusion in planned.excluded)
        return context_overflow(limit, call.prompt_tokens, call.max_tokens or 0, {"provider_name": None})
    availability = _availability(call, "constraint_filtered", is_retryable=False)
    availability["excluded_by"] = {exclusion.pool.name: exclusion.reason for exclusion in planned.excluded}
    if reasons == {"input_modalities"}:
        message = "No endpoints found that support image input"
    elif reasons == {"model_not_allowed"}:
        message = "No models match your request and model restrictions"
    elif reasons <= {"model_not_allowed", "provider_not_allowed"}:
        message = "No allowed providers are available for the selected model."
    else:
        message = f"No endpoints found for {call.model} that can serve this request: {', '.join(sorted(reasons))}"
    return ApiError("not_found", message, metadata={"availability": availability})


def of_refusal(refusal: Refusal, call: Call, body: bytes = b"") -> ApiError:
    """The last attempt's failure (`body`: what the engine said), or that there was nobody to send to.

    A request that is refused for lack of time or room gets a 503 whose `metadata.reason` says which.
    """
    if refusal.reason is not None:
        return ApiError(
            "provider_overloaded",
            f"The request was not sent: {_REASONS[refusal.reason].format(model=call.model)}. Please try again later.",
            retry_after_s=refusal.retry_after_s or NOTHING_UP_RETRY_AFTER_S,
            metadata={
                "reason": refusal.reason.value,
                "attempts": refusal.attempts,
                "availability": _availability(call, "temporarily_unavailable", is_retryable=True),
            },
        )
    if refusal.last is None:
        return ApiError(
            "provider_overloaded",
            f"No endpoint of {call.model} is up at the moment. Please try again shortly.",
            retry_after_s=refusal.retry_after_s or NOTHING_UP_RETRY_AFTER_S,
            metadata={"availability": _availability(call, "temporarily_unavailable", is_retryable=True)},
        )
    error = of_outcome(refusal.last, provider=refusal.last_pool.provider if refusal.last_pool else "local", body=body)
    if error.retry_after_s is None and error.status in (429, 503):
        error.retry_after_s = refusal.retry_after_s
    error.metadata.setdefault("attempts", refusal.attempts)
    return error


def _availability(call: Call, code: str, *, is_retryable: bool) -> dict[str, object]:
    return {"code": code, "retryable": is_retryable, "requested_models": [*call.models]}
