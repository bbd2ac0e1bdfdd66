"""Round robin: each endpoint in its turn. Knows nothing; kept so that the others have something to be measured by."""

from collections.abc import Sequence

from router.policy.call import Call
from router.policy.candidates import Candidates


class RoundRobin:
    """Balancer over nothing but the order of the endpoints."""

    def __init__(self) -> None:
        self._turn = -1

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """Turns until it would be the endpoint's."""
        count = len(candidates)
        self._turn = (self._turn + 1) % count
        return [float((row - self._turn) % count) for row in range(count)]
