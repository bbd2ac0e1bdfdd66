"""Least request: the endpoint with the fewest requests, as most proxies have it.

Blind to how much work a request is: kept for comparison, and for upstreams of which nothing else is known.
"""

from collections.abc import Sequence

from router.policy.call import Call
from router.policy.candidates import Candidates


class LeastRequest:
    """Balancer over streams."""

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """Requests, this one included; a warming endpoint counts as fuller than it is (Envoy's slow start)."""
        return [(streams + 1) / warmth for streams, warmth in zip(candidates.streams, candidates.warmth, strict=True)]
