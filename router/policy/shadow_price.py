"""Shadow price: the endpoint where a call costs the caller and everybody else the least.

    new  = n - h                              tokens it would have to compute
    W    = mean(P / R)                        seconds of prompts queued per endpoint
    λ    = 1 + κ·W                            what a second of prompt computation is worth
    cost = ((P + λ·new) / R + delay) · (1 + γ·L)

On an idle fleet λ is 1 and the cost is the call's own time to first token: calls spread, and caches are seeded. As
queues grow, λ rises, and the choice goes to whoever holds the prefix, because saved work is what limits the throughput
of the whole. Fixed weights between load and prefix cannot do both. The factor of the streams L stands for those who
decode there: each prompt that is computed between their tokens holds all of them up.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.call import Call
from router.policy.candidates import Candidates


@dataclass(frozen=True, slots=True)
class ShadowPriceSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # κ, per second queued: from 1 to 3 it makes little difference; from 10 up calls pile up on whoever has the prefix
    price_per_queued_s: float = 3.0
    # γ, per stream: 50 streams double the cost; 0 favours the slowest first tokens over the pace of all others
    stream_weight: float = 0.02

    def __post_init__(self) -> None:
        for name in ("price_per_queued_s", "stream_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")


class ShadowPrice:
    """Balancer over queued prompt tokens, cached prefixes and streams."""

    def __init__(self, settings: ShadowPriceSettings) -> None:
        self._kappa = settings.price_per_queued_s
        self._gamma = settings.stream_weight

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """Seconds, weighted."""
        waits = list(map(operator.truediv, candidates.queued, candidates.rates))
        price = 1.0 + self._kappa * sum(waits) / len(waits)
        tokens, gamma = call.prompt_tokens, self._gamma
        return [
            (wait + price * (tokens - cached) / rate + delay) * (1.0 + gamma * streams) / warmth
            for wait, cached, rate, delay, streams, warmth in zip(
                waits,
                candidates.cached,
                candidates.rates,
                candidates.delays,
                candidates.streams,
                candidates.warmth,
                strict=True,
            )
        ]
