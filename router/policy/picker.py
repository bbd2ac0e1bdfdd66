"""One endpoint of a pool for one call: what is known of each, what each would cost, and whether any is in time.

    candidates → costs (balancer) → the least → in time (admission)? → Decision

A decision keeps the figures it was made with, so that it can be explained.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from router.policy.adapters import Adapters
from router.policy.admission import Admission
from router.policy.apart import Apart
from router.policy.balance import Balancer, least
from router.policy.call import Call
from router.policy.candidates import Candidates
from router.policy.catalog import Endpoint
from router.policy.forecast import Forecast
from router.policy.load import TokenLoad
from router.policy.prefix import PrefixIndex
from router.policy.slow_start import SlowStart


@dataclass(frozen=True, slots=True)
class Decision:
    """The choice, and what it was made with."""

    row: int  # of the chosen endpoint among the candidates
    candidates: Candidates
    costs: Sequence[float]
    wait_s: float  # predicted, until the prompt is begun there
    own_s: float  # predicted, from there to the first token
    late_s: float = 0.0  # above 0: no endpoint is in time, by so much at the best
    shortest_wait_s: float = 0.0  # of any endpoint

    @property
    def endpoint(self) -> Endpoint:
        return self.candidates.endpoints[self.row]

    @property
    def cached_tokens(self) -> int:
        """Of the prompt, as far as is believed."""
        return self.candidates.cached[self.row]

    @property
    def predicted_s(self) -> float:
        """Time to the first token."""
        return self.wait_s + self.own_s


class Picker:
    """Chooses for one pool."""

    def __init__(
        self,
        *,
        name: str,
        balancer: Balancer,
        admission: Admission,
        forecast: Forecast,
        load: TokenLoad,
        index: PrefixIndex,
        slow_start: SlowStart,
        adapters: Adapters,
        rng: Random,
        adapter: str | None = None,
        apart: Apart | None = None,
    ) -> None:
        self.balancer = name  # of the algorithm
        self.admission = admission
        self.forecast = forecast
        self._costs = balancer.costs
        self._load = load
        self._index = index
        self._slow_start = slow_start
        self._adapters = adapters
        self._adapter = adapter  # that the pool's calls need
        self._apart = apart  # None: there are no other routers
        self._rng = rng

    def candidates(self, endpoints: Sequence[Endpoint], call: Call, now: float) -> Candidates:
        """What is known of each endpoint for this call."""
        ids = [endpoint.id for endpoint in endpoints]
        accounts = self._load.of_each(ids)
        depths = self._index.depths(call.prefix.hashes)
        cached = [0] * len(ids)
        if depths:
            ends, most, get = call.prefix.ends, max(0, call.prompt_tokens - 1), depths.get
            if ends[-1] > most:  # one token is always computed
                ends = tuple(min(end, most) for end in ends)
            tokens = (0, *ends)
            cached = [tokens[get(each, 0)] for each in ids]
        warmth = [1.0] * len(ids)
        if not self._slow_start.is_over:
            warmth = [self._slow_start.warmth(each, now) for each in ids]
        if self._apart is not None and (weights := self._apart.weights(ids, now)) is not None:
            warmth = [warm * weight for warm, weight in zip(warmth, weights, strict=True)]
        delays = [0.0] * len(ids)
        if self._adapter is not None:
            delays = [self._adapters.delay_s(each, self._adapter, now) for each in ids]
        return Candidates(
            endpoints=endpoints,
            queued=[each.all_queued for each in accounts],
            streams=[each.all_streams for each in accounts],
            cached=cached,
            rates=[self.forecast.rate] * len(ids),
            warmth=warmth,
            delays=delays,
        )

    def decide(self, endpoints: Sequence[Endpoint], call: Call, now: float, *, spent_s: float = 0.0) -> Decision:
        """Choose one of `endpoints` (never empty); takes nothing yet.

        Where the least cost would come too late for the call, the least cost of those that are in time counts.
        `spent_s`: seconds that the call has waited already, or will before it is sent.
        """
        candidates = self.candidates(endpoints, call, now)
        costs = self._costs(candidates, call)
        row = least(costs, self._rng)
        (wait_s,), (own_s,), (late_s,) = self._times(candidates, call, (row,), spent_s)
        shortest_s = min(map(operator.truediv, candidates.queued, candidates.rates))
        if late_s > 0 and len(endpoints) > 1:
            waits, owns, late = self._times(candidates, call, range(len(endpoints)), spent_s)
            late_s = min(late)
            if late_s <= 0:
                costs = [cost if late[each] <= 0 else math.inf for each, cost in enumerate(costs)]
                if math.isinf(min(costs)):  # the algorithm wants none of those
                    costs = [late[each] if late[each] <= 0 else math.inf for each in range(len(endpoints))]
                row = least(costs, self._rng)
                wait_s, own_s = waits[row], owns[row]
        return Decision(row, candidates, costs, wait_s, own_s, late_s, shortest_s)

    def _times(
        self, candidates: Candidates, call: Call, rows: Sequence[int], spent_s: float
    ) -> tuple[list[float], list[float], list[float]]:
        """Predicted seconds of waiting at these endpoints, of its own there, and by which it would be late."""
        waits, owns = self.forecast.times(
            [candidates.endpoints[row].id for row in rows],
            [candidates.queued[row] for row in rows],
            [call.prompt_tokens - candidates.cached[row] for row in rows],
        )
        waits = [wait + candidates.delays[row] for wait, row in zip(waits, rows, strict=True)]
        whole_s, streams = self.forecast.idle_s(call.prompt_tokens), [candidates.streams[row] for row in rows]
        longest = self.admission.longest_waits(call, owns, whole_s, streams)
        return waits, owns, [spent_s + wait - most for wait, most in zip(waits, longest, strict=True)]

    def shortest_wait_s(self, endpoints: Sequence[Endpoint]) -> float:
        """Seconds of prompts queued at the least loaded of `endpoints` (never empty)."""
        return min(self._load.of(each.id).all_queued for each in endpoints) / self.forecast.rate

    def total_rate(self, endpoints: Sequence[Endpoint]) -> float:
        """Prompt tokens per second of all `endpoints` together."""
        return self.forecast.rate * len(endpoints)
