"""The endpoints to choose from, as balancing algorithms see them.

Columns with one row per endpoint, and not one object each: a decision among 256 endpoints is made within 300 µs, and
making 256 objects would take longer than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.catalog import Endpoint


@dataclass(slots=True)
class Candidates:
    """What is known of each endpoint at the moment of one call's decision. All columns have the same length."""

    endpoints: Sequence[Endpoint]
    queued: Sequence[int]  # prompt tokens sent there that are neither cached nor computed yet
    streams: Sequence[int]  # requests there
    cached: Sequence[int]  # of this call's prompt tokens, how many it need not compute
    rates: Sequence[float]  # prompt tokens it computes per second
    warmth: Sequence[float]  # 1: as fast as it gets; below: just started (see slow_start)
    delays: Sequence[float]  # seconds before it could begin, e.g. to load an adapter

    def __len__(self) -> int:
        return len(self.endpoints)
