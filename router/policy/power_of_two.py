"""Power of two choices: of two endpoints drawn at random, the one with fewer requests.

Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (1996). Two random draws and not the global
minimum, because several routers that all see the same minimum would all send there at once.
"""

import math
from collections.abc import Sequence
from random import Random

from router.policy.call import Call
from router.policy.candidates import Candidates


class PowerOfTwo:
    """Balancer over streams of two endpoints."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """Requests, this one included, of two distinct endpoints; infinity for all others."""
        rows = range(len(candidates))
        drawn = self._rng.sample(rows, 2) if len(rows) > 1 else rows
        costs = [math.inf] * len(rows)
        for row in drawn:
            costs[row] = (candidates.streams[row] + 1) / candidates.warmth[row]
        return costs
