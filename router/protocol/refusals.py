"""What a caller is told when no answer could be had: the policy's refusal in the API's words.

Wherever pools were left out, `metadata.availability.excluded_by` says which and why. Of several attempts the last one's
failure is told, and those before it stand in `metadata.previous_errors`.
"""

from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType

from router.policy.call import Call
from router.policy.draft import Exclusion
from router.policy.outcome import Outcome
from router.policy.plan import Plan
from router.policy.route import Failure, Reason, Refusal
from router.protocol.errors import ApiError, invalid
from router.protocol.failures import context_overflow, of_outcome

_REASONS = {
    Reason.LATE: "every endpoint of {models} has too much to do to begin your request in time",
    Reason.FULL: "too many requests wait for {models}",
    Reason.EXPIRED: "your request waited for {models} as long as it may",
}
NOTHING_UP_RETRY_AFTER_S = 5.0  # an engine on a warm node is back in about this time; clients back off on their own
_POLICIES: Mapping[str, str] = MappingProxyType(
    {
        "data_policy:training": "no training on prompts",
        "data_policy:zdr": "zero data retention",
        "data_policy:distillation": "answers that may train other models",
    }
)
_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "data_policy:training": "provider.data_collection",
        "data_policy:zdr": "provider.zdr",
        "data_policy:distillation": "provider.enforce_distillable_text",
        "max_price": "provider.max_price",
        "quantization": "provider.quantizations",
        "require_parameters": "provider.require_parameters",
        "allow_fallbacks": "provider.allow_fallbacks",
        "max_tokens": "max_tokens",
        "tools": "tools",
        "tool_choice": "tool_choice",
    }
)  # of the request, that a reason comes from
_PROVIDERS = frozenset({"model_not_allowed", "allowed_providers", "allow_fallbacks"})


def no_pool(call: Call, planned: Plan, *, tool: str | None = None) -> ApiError:
    """No pool may serve the call: an unknown model, or all were excluded for reasons that are named.

    Args:
        call: what was asked for.
        planned: the plan without a pool.
        tool: the name of one of the request's tools.
    """
    if planned.needs_web is not None:
        return invalid("model", f"{planned.needs_web} wants the web plugin, which is not offered here")
    if not planned.excluded:
        return ApiError(
            "invalid_request",
            f"{call.model} is not a valid model ID",
            field="model",
            metadata={"availability": _availability(call, "model_not_found", is_retryable=False)},
        )
    reasons = {exclusion.reason for exclusion in planned.excluded}
    is_private = reasons <= _POLICIES.keys()
    code = "privacy_restricted" if is_private else "constraint_filtered"
    availability = _availability(call, code, is_retryable=False, excluded=planned.excluded)
    if reasons == {"context_length"}:
        limit = max(exclusion.pool.context_length for exclusion in planned.excluded)
        metadata: dict[str, object] = {"provider_name": None, "availability": availability}
        return context_overflow(limit, call.prompt_tokens, call.max_tokens or 0, metadata)
    message = _words(call, planned, reasons, tool)
    if len(reasons) == 1 and (field := _FIELDS.get(min(reasons))) is not None:
        availability["constraint"] = {"field": field, "detail": message}
    return ApiError("not_found", message, metadata={"availability": availability})


def _words(call: Call, planned: Plan, reasons: Set[str], tool: str | None) -> str:
    """Those that clients look for, where there are such."""
    if reasons <= _POLICIES.keys():
        policy = ", ".join(_POLICIES[reason] for reason in sorted(reasons))
        return f"No endpoints found matching your data policy ({policy})."
    if reasons == {"input_modalities"}:
        seen = frozenset[str]().union(*(exclusion.pool.input_modalities for exclusion in planned.excluded))
        return f"No endpoints found that support {min(call.modalities - seen, default='such')} input"
    if reasons == {"tools"}:
        return f'No endpoints found that support tool use. Try disabling "{tool or "tools"}".'
    if reasons == {"tool_choice"}:
        return "No endpoints found that support the provided 'tool_choice' value."
    if reasons == {"model_not_allowed"}:
        return "No models match your request and model restrictions"
    if reasons <= _PROVIDERS:
        return "No allowed providers are available for the selected model."
    return f"No endpoints found for {call.model} that can serve this request: {', '.join(sorted(reasons))}"


def of_refusal(refusal: Refusal, call: Call, body: bytes = b"", *, excluded: Sequence[Exclusion] = ()) -> ApiError:
    """The last attempt's failure, or that there was nobody to send to.

    A request that is refused for lack of time or room gets a 503 whose `metadata.reason` says which.

    Args:
        refusal: how it ended.
        call: what was asked for.
        body: what the engine said to the last attempt.
        excluded: pools that could not serve the call.
    """
    if refusal.reason is None and refusal.last is not None:
        return _last(refusal, refusal.last, call, body, excluded)
    metadata: dict[str, object] = {}
    if refusal.reason is None:
        message = f"No endpoint of {call.model} is up at the moment. Please try again shortly."
    else:
        cause = _REASONS[refusal.reason].format(models=" or ".join(call.models))
        message = f"The request was not sent: {cause}. Please try again later."
        metadata |= {"reason": refusal.reason.value, "attempts": refusal.attempts}
        last = () if refusal.last is None or refusal.last_pool is None else (Failure(refusal.last_pool, refusal.last),)
        metadata |= _previous(*refusal.earlier, *last)
    code = "temporarily_unavailable"
    metadata["availability"] = _availability(call, code, is_retryable=True, excluded=excluded)
    retry_after_s = refusal.retry_after_s or NOTHING_UP_RETRY_AFTER_S
    return ApiError("provider_overloaded", message, retry_after_s=retry_after_s, metadata=metadata)


def _last(refusal: Refusal, outcome: Outcome, call: Call, body: bytes, excluded: Sequence[Exclusion]) -> ApiError:
    error = of_outcome(outcome, provider=refusal.last_pool.provider if refusal.last_pool else "local", body=body)
    if error.retry_after_s is None and error.status in (429, 503):
        error.retry_after_s = refusal.retry_after_s
    error.metadata.setdefault("attempts", refusal.attempts)
    error.metadata |= _previous(*refusal.earlier)
    if excluded:
        is_retryable = outcome.verdict.is_retryable
        code = "no_endpoints"
        if is_retryable:
            code = "capacity_exhausted" if error.status == 429 else "temporarily_unavailable"
        error.metadata["availability"] = _availability(call, code, is_retryable=is_retryable, excluded=excluded)
    return error


def _previous(*failures: Failure) -> dict[str, object]:
    """The metadata that tell of attempts before the last, if there were any."""
    if not failures:
        return {}
    told = []
    for failure in failures:
        error = of_outcome(failure.outcome, provider=failure.pool.provider)
        told.append(
            {
                "provider": failure.pool.provider,
                "model": failure.pool.model,
                "code": error.status,
                "status": failure.outcome.status or error.status,
                "message": error.message,
            }
        )
    return {"previous_errors": told}


def _availability(
    call: Call, code: str, *, is_retryable: bool, excluded: Sequence[Exclusion] = ()
) -> dict[str, object]:
    told: dict[str, object] = {"code": code, "retryable": is_retryable, "requested_models": [*call.models]}
    if excluded:
        told["excluded_by"] = {exclusion.pool.name: exclusion.reason for exclusion in excluded}
    return told
