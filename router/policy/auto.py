"""Which model answers when the caller leaves the choice to the router (`openrouter/auto`).

Of the models that can do what the call needs (its modalities, its length, tools, a response format) the cheapest is
tried first and the others after it, so that work goes to the smallest model that can do it. Of equally cheap ones the
newest. A caller who wants better ones names a tier of cost: then the models within that part of the catalogue's prices
come first, and the others by how far they are from it. What is never judged is the text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum


class CostTier(Enum):
    """A band of the models ordered by cost: from a share of them to another."""

    LOW = (0.0, 0.2)
    MEDIUM = (0.2, 0.4)
    HIGH = (0.4, 0.6)
    XHIGH = (0.6, 0.8)
    MAX = (0.8, 1.0)

    def distance(self, share: float) -> float:
        """How far a place in that order is outside of the band."""
        least, most = self.value
        return max(round(least - share, 9), round(share - most, 9), 0.0)  # else rounding would break ties


@dataclass(frozen=True, slots=True)
class AutoRouter:
    """The plugin `auto-router`. Patterns are slugs in which `*` stands for anything."""

    allowed: tuple[str, ...] = ()  # empty: all
    excluded: tuple[str, ...] = ()
    tier: CostTier = CostTier.LOW

    def allows(self, model: str) -> bool:
        """May this model be chosen?"""
        if self.allowed and not any(matches(pattern, model) for pattern in self.allowed):
            return False
        return not any(matches(pattern, model) for pattern in self.excluded)


ANY_MODEL = AutoRouter()


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can serve the call."""

    model: str
    cost: float  # of the call, in USD, at its cheapest pool
    created: int  # Unix seconds


def ranked(offers: Iterable[Offer], tier: CostTier) -> Sequence[str]:
    """The models, in the order to try them."""
    by_cost = sorted(offers, key=lambda offer: (offer.cost, -offer.created, offer.model))
    last = max(len(by_cost) - 1, 1)
    places = sorted(range(len(by_cost)), key=lambda place: (tier.distance(place / last), place))
    return [by_cost[place].model for place in places]


def matches(pattern: str, model: str) -> bool:
    """Is the slug of that pattern? Linear in both: a stranger wrote the pattern."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == model
    *middle, last = others
    if not model.startswith(first) or not model.endswith(last):
        return False
    at, end = len(first), len(model) - len(last)
    for piece in middle:
        found = model.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return at <= end
