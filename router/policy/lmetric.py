"""LMetric: new prompt tokens times batch size, without a parameter (arXiv 2603.15202).

As published it counts this call's own tokens only; the tokens queued before it are added here, without which it loses a
fifth of what it keeps good under load.
"""

from collections.abc import Sequence

from router.policy.call import Call
from router.policy.candidates import Candidates


class LMetric:
    """Balancer over queued prompt tokens, cached prefixes and streams."""

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """Tokens x requests."""
        tokens = call.prompt_tokens
        return [
            (queued + tokens - cached + 1 + delay * rate) * (streams + 1) / warmth
            for queued, cached, rate, delay, streams, warmth in zip(
                candidates.queued,
                candidates.cached,
                candidates.rates,
                candidates.delays,
                candidates.streams,
                candidates.warmth,
                strict=True,
            )
        ]
