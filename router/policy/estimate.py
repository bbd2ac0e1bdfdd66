"""The most that a call can come to, which is what is reserved for it.

A budget is never overspent by more than one estimate, so an estimate must not be too low: the answer is taken to be as
long as it may be, and to come from the dearest of the pools that may give it. Only the prompt's length is itself an
estimate, until the engine has counted it.

Rates are no money: there an answer of no named length is taken for a usual one, and the difference is charged when it
has ended. Else one request could take all of a minute's tokens.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.key import NANO

USUAL_COMPLETION_TOKENS = 256  # the median answer of public chat traces


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one call."""

    tokens: int  # prompt and completions together, for the rate of tokens
    cost: int  # the most, in nano-dollars, rounded up


def expected_cost(call: Call, pools: Iterable[Pool], *, choices: int = 1) -> Estimate:
    """The most that any of the pools may make of a call. `choices`: how many answers it gets, to one prompt."""
    tokens = cost = 0
    for pool in pools:
        longest = _longest(call, pool)
        completions = choices * longest
        likely = choices * (min(longest, USUAL_COMPLETION_TOKENS) if call.max_tokens is None else longest)
        price = pool.price
        prompt_price = max(price.prompt, price.cached_prompt or 0.0)
        dollars = call.prompt_tokens * prompt_price + completions * price.completion + price.request
        tokens = max(tokens, call.prompt_tokens + likely)
        cost = max(cost, math.ceil(dollars * NANO))
    return Estimate(tokens, cost)


def _longest(call: Call, pool: Pool) -> int:
    """Tokens of one answer. At least 1: the prompt may be shorter than it is believed to be."""
    longest = max(1, pool.context_length - call.prompt_tokens)
    if pool.max_completion_tokens is not None:
        longest = min(longest, pool.max_completion_tokens)
    return (
        longest if call.max_tokens is None else min(call.max_tokens, pool.max_completion_tokens or pool.context_length)
    )
