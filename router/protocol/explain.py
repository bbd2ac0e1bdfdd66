"""How a request was routed, for callers who ask (`X-OpenRouter-Metadata: enabled`): `openrouter_metadata`.

OpenRouter's keys, and beside them `routing`: for each attempt the endpoints that were candidates, what each would have
cost, how much of the prompt it was believed to hold, when its first token was expected, and why it was chosen.
Endpoints go by a short name that stands for nothing: addresses are not for callers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import xxhash

from router.policy.attempt import Attempt
from router.policy.call import Call
from router.policy.catalog import EndpointId, Pool
from router.policy.draft import Exclusion
from router.policy.model_names import Strategy
from router.policy.outcome import Outcome, Verdict
from router.policy.picker import Decision
from router.policy.preferences import NO_PREFERENCES, Preferences

SHOWN = 32  # candidates; of a larger fleet the cheapest are shown
_STATUS = {Verdict.OK: 200, Verdict.TIMEOUT: 504, Verdict.CANCELLED: 499, Verdict.RATE_LIMITED: 429}


@dataclass(slots=True)
class Tried:
    """One attempt of a request, and why it was made there."""

    attempt: Attempt
    decision: Decision
    balancer: str
    outcome: Outcome | None = None  # None: it is the answer, or still under way


def name_of(endpoint_id: EndpointId) -> str:
    """An endpoint's name for callers: eight hexadecimal digits."""
    return f"{xxhash.xxh32_intdigest(endpoint_id.encode()):08x}"


def log_line(tried: Tried, call: Call) -> str:
    """The same decision for the operator's debug log: one line of JSON, endpoints by their real ids."""
    return msgspec.json.encode(_explained(tried, call, str)).decode()


def router_metadata(
    call: Call,
    pools: Sequence[Pool],
    tried: Sequence[Tried],
    *,
    excluded: Sequence[Exclusion] = (),
    strategy: Strategy = Strategy.DIRECT,
    family: str | None = None,
    preferences: Preferences = NO_PREFERENCES,
    pipeline: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """The value of `openrouter_metadata`.

    Args:
        call: what was asked for.
        pools: that could have served it, in the order to try.
        tried: the attempts made, the last of which is the answer, if there is one.
        excluded: pools that could not have served it.
        strategy: how the models were found.
        family: of which the newest model was wanted.
        preferences: the caller's.
        pipeline: what plugins, guardrails and the like did, in OpenRouter's shape.
    """
    last = tried[-1].attempt if tried else None
    selected = last.pool if last else None
    is_fallback = selected is not None and bool(pools) and selected != pools[0]
    told: dict[str, object] = {
        "requested": call.model,
        "strategy": "fallback" if is_fallback and strategy is Strategy.DIRECT else strategy.value,
        "region": None,
        "summary": f"available={len(pools)}, selected={selected.provider if selected else 'none'}",
        "attempt": last.number if last else 0,
        "is_byok": False,
        "endpoints": {
            "total": len(pools) + len(excluded),
            "available": [
                {"provider": pool.provider, "model": pool.model, "selected": pool == selected} for pool in pools
            ],
        },
        "attempts": [
            {
                "provider": each.attempt.pool.provider,
                "model": each.attempt.pool.model,
                "status": _status(each.outcome),
            }
            for each in tried
        ],
        "routing": [_explained(each, call, name_of) for each in tried],
    }
    if excluded:
        told["excluded_by"] = {exclusion.pool.name: exclusion.reason for exclusion in excluded}
    if params := _params(family, preferences):
        told["params"] = params
    if pipeline:
        told["pipeline"] = [*pipeline]
    return told


def _params(family: str | None, preferences: Preferences) -> dict[str, object]:
    """What the choice went by, as far as OpenRouter has a name for it."""
    params: dict[str, object] = {}
    if family is not None:
        params["version_group"] = family
    floor = preferences.preferred_min_throughput
    if floor is not None and floor.p50 is not None:
        params["throughput_floor"] = floor.p50
    return params


def _status(outcome: Outcome | None) -> int:
    if outcome is None:
        return 200
    return outcome.status or _STATUS.get(outcome.verdict, 502)


def _explained(tried: Tried, call: Call, name: Callable[[EndpointId], str]) -> dict[str, object]:
    decision, candidates = tried.decision, tried.decision.candidates
    rows = sorted(range(len(candidates)), key=lambda row: (row != decision.row, decision.costs[row]))
    return {
        "attempt": tried.attempt.number,
        "pool": tried.attempt.pool.name,
        "balancer": tried.balancer,
        "prompt_tokens": call.prompt_tokens,
        "reason": _reason(decision),
        "predicted_ttft_ms": round(decision.predicted_s * 1e3),
        "predicted_wait_ms": round(decision.wait_s * 1e3),
        "candidates_total": len(candidates),
        "candidates": [
            {
                "endpoint": name(candidates.endpoints[row].id),
                "selected": row == decision.row,
                "cost": None if math.isinf(decision.costs[row]) else round(decision.costs[row], 6),
                "cached_tokens": candidates.cached[row],
                "queued_tokens": candidates.queued[row],
                "streams": candidates.streams[row],
            }
            for row in rows[:SHOWN]
        ],
    }


def _reason(decision: Decision) -> str:
    candidates, row = decision.candidates, decision.row
    if len(candidates) == 1:
        return "only one endpoint was available"
    most = max(candidates.cached)
    if most and candidates.cached[row] == most:
        return "it holds the longest part of the prompt, and that is worth more than its load"
    if most:
        return "another endpoint holds more of the prompt, but is too busy"
    if candidates.queued[row] == min(candidates.queued):
        return "no endpoint holds the prompt; it has the least queued"
    return "no endpoint holds the prompt; its cost was the least"
