"""The one question a balancing algorithm answers. Each algorithm has a file of its own.

An algorithm says what each endpoint would cost, and the least is taken. So every decision can be shown as figures, and
an algorithm that draws or takes turns says the same in figures: infinity for those it does not want.
"""

from collections.abc import Sequence
from random import Random
from typing import Protocol

from router.policy.call import Call
from router.policy.candidates import Candidates


class Balancer(Protocol):
    """Weighs the endpoints of a pool for one call."""

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """What each candidate (there is at least one) would cost, in a unit of its own; at least one is finite."""
        ...


def least(costs: Sequence[float], rng: Random) -> int:
    """The row of the least cost; among equals at random, so that several routers do not all choose the same."""
    lowest = min(costs)
    first = costs.index(lowest)
    if costs.count(lowest) == 1:
        return first
    return rng.choice([row for row, cost in enumerate(costs) if cost == lowest])
