"""Sticky until saturated: stay where the prefix is, until waiting there costs too much (llm-d's default, August 2026).

Of the endpoints that hold most of the prompt, and of all if there is none such, the one with the least work. The
prefix is given up when the best of its holders would answer later than the best of the others by more than a limit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.call import Call
from router.policy.candidates import Candidates


@dataclass(frozen=True, slots=True)
class StickySettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    share: float = 0.8  # of the prompt that must be cached to count as a holder; llm-d's
    image_share: float = 0.6  # the same for prompts with images: they are one piece, and dear; llm-d's
    # seconds later that a holder may answer before the prefix is given up; llm-d's own 18 is longer than most callers'
    # patience, 14 did best on traces
    penalty_s: float = 14.0

    def __post_init__(self) -> None:
        for name in ("share", "image_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")
        if not self.penalty_s >= 0:
            raise ValueError(f"penalty_s must not be negative, got {self.penalty_s}")


class Sticky:
    """Balancer over cached prefixes first, then queued prompt tokens."""

    def __init__(self, settings: StickySettings) -> None:
        self._settings = settings

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """Seconds until the first token; infinity for those that do not hold the prefix, while that is worth it."""
        settings, tokens = self._settings, call.prompt_tokens
        costs = [
            ((queued + tokens - cached) / rate + delay) / warmth
            for queued, cached, rate, delay, warmth in zip(
                candidates.queued,
                candidates.cached,
                candidates.rates,
                candidates.delays,
                candidates.warmth,
                strict=True,
            )
        ]
        needed = (settings.image_share if call.image_tokens else settings.share) * tokens
        holds = [0 < needed <= cached for cached in candidates.cached]
        best_holder = min((cost for cost, is_holder in zip(costs, holds, strict=True) if is_holder), default=math.inf)
        best_other = min(
            (cost for cost, is_holder in zip(costs, holds, strict=True) if not is_holder), default=math.inf
        )
        if math.isinf(best_holder) or best_holder - best_other > settings.penalty_s:
            return costs
        return [cost if is_holder else math.inf for cost, is_holder in zip(costs, holds, strict=True)]
