"""Which pools may serve a call, in the order to try them: the fallback order.

A pool is left out only for a reason that can be told to the caller, and the reasons are kept, so that a refusal names
what excluded each pool. Models come in the order the caller gave; pools of one model in the order of the configuration.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.key import ANONYMOUS, Key

LONGEST_TOKEN_BYTES = 32  # on average, of any text: repeated spaces are the longest that tokenizers have


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A pool that cannot serve the call, and why (a word of OpenRouter's `availability.excluded_by`)."""

    pool: Pool
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Pools to try, in order; and those that were passed over."""

    pools: tuple[Pool, ...]
    excluded: tuple[Exclusion, ...] = ()


def plan(call: Call, pools: Sequence[Pool], key: Key = ANONYMOUS) -> Plan:
    """Order the pools for a call. An empty plan without exclusions means that no pool serves these models."""
    eligible: list[Pool] = []
    excluded: list[Exclusion] = []
    for model in call.models:
        for pool in pools:
            if pool.model != model:
                continue
            reason = why_not(call, pool, key)
            if reason is None:
                eligible.append(pool)
            else:
                excluded.append(Exclusion(pool, reason))
    return Plan(tuple(eligible), tuple(excluded))


def _least_tokens(call: Call) -> int:
    """Of the prompt: its length is an estimate, which the engine corrects; but nothing is shorter than this."""
    return call.image_tokens + call.text_bytes // LONGEST_TOKEN_BYTES if call.prompts == 1 else 0


def why_not(call: Call, pool: Pool, key: Key = ANONYMOUS) -> str | None:
    """The first reason for which the pool cannot serve the call, or None."""
    if (key.models is not None and pool.model not in key.models) or pool.model in key.ignored_models:
        return "model_not_allowed"
    if (key.providers is not None and pool.provider not in key.providers) or pool.provider in key.ignored_providers:
        return "provider_not_allowed"
    if not call.modalities <= pool.input_modalities:
        return "input_modalities"
    wanted = call.max_tokens or 1
    if _least_tokens(call) + wanted >= pool.context_length:
        return "context_length"
    if pool.max_completion_tokens is not None and wanted > pool.max_completion_tokens:
        return "max_tokens"
    return None
