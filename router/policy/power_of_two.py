"""Power of two choices: of two endpoints drawn at random, the one with fewer outstanding tokens.

Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (1996). Two random draws and not the global
minimum, because several routers that all see the same minimum would all send there at once.
"""

from collections.abc import Sequence
from random import Random

from router.policy.call import Call
from router.policy.catalog import Endpoint
from router.policy.load import TokenLoad


class PowerOfTwo:
    """Balancer over the router's own token ledger."""

    def __init__(self, load: TokenLoad, rng: Random) -> None:
        self._load = load
        self._rng = rng

    def pick(self, endpoints: Sequence[Endpoint], call: Call, now: float) -> Endpoint:
        """The less loaded of two distinct endpoints. They come in random order, so the first wins a tie."""
        count = len(endpoints)
        if count == 1:
            return endpoints[0]
        i = int(self._rng.random() * count)
        j = int(self._rng.random() * (count - 1))
        first, second = endpoints[i], endpoints[j if j < i else j + 1]
        if self._load.outstanding(second.id) < self._load.outstanding(first.id):
            return second
        return first
