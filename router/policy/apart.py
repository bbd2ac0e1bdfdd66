"""What a router does while it cannot hear the others: it prefers some endpoints, by an order of its own.

Routers that see only what they send themselves all find the same endpoint idle, or warm, and all send there. As long as
they cannot tell each other, each takes the endpoints to be a little slower than they are, by a share that is drawn from
the endpoint's name and the router's: so their choices differ, and one prompt's prefix stays with fewer endpoints. It
needs to know neither who the others are nor how many.
"""

from collections.abc import Callable, Sequence

import xxhash

from router.policy.catalog import EndpointId

_SPREAD = 0.7  # the least liked endpoint counts as 1.7 times as dear; measured, see docs/routing.md


class Apart:
    """One per router.

    Args:
        name: of this router, 64 random bits.
        is_alone: are there other routers, none of which can be heard now (monotonic seconds)?
    """

    def __init__(self, name: int, is_alone: Callable[[float], bool]) -> None:
        self._name = name
        self._is_alone = is_alone

    def weights(self, endpoint_ids: Sequence[EndpointId], now: float) -> list[float] | None:
        """By how much each endpoint is liked, up to 1; None: all alike, as the others are heard."""
        if not self._is_alone(now):
            return None
        return [
            1.0 / (1.0 + _SPREAD * xxhash.xxh3_64_intdigest(each.encode(), seed=self._name) / 2.0**64)
            for each in endpoint_ids
        ]
