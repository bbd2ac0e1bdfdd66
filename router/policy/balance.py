"""The one question a balancing algorithm answers. Each algorithm has a file of its own."""

from collections.abc import Sequence
from typing import Protocol

from router.policy.call import Call
from router.policy.catalog import Endpoint


class Balancer(Protocol):
    """Chooses one endpoint of a pool."""

    def pick(self, endpoints: Sequence[Endpoint], call: Call, now: float) -> Endpoint:
        """Choose one of `endpoints` (never empty) at `now` (monotonic seconds); takes nothing yet."""
        ...
