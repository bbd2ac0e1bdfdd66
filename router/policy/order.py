"""In which order the pools of one model are tried, of those that may serve a call.

The first of these that says anything decides; what it leaves equal is for the next.
1. `order` names them.
2. Pools that miss the caller's preferred throughput or latency come last, and before those the pools that would drop
   tools, tool_choice, response_format or verbosity.
3. An explicit sort: by price, throughput, latency or quality, the best first; what was never measured comes after what
   was. It stands instead of 4 to 7.
4. Pools with an outage in the last 30 seconds come after others.
5. Lower tiers come first: own engines before what is paid for elsewhere.
6. The pool that served the same session last.
7. Chance, weighted by the inverse square of the price, as OpenRouter does: of pools at 1 $ and 3 $ the first comes
   first nine times in ten. Pools that cost nothing come before all that do, in an even lottery among themselves.
With `order` the lottery and the session say nothing: there the cheapest comes first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.estimate import USUAL_COMPLETION_TOKENS
from router.policy.parameters import PREFERRED, unsupported
from router.policy.performance import ROUTING_WINDOW_S, Performance
from router.policy.preferences import NO_PREFERENCES, Preferences, Sort, is_named

Rank = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OrderSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    outage_s: float = 30.0  # seconds for which an outage puts a pool behind others; OpenRouter's
    window_s: float = ROUTING_WINDOW_S  # seconds over which latency and throughput are measured; OpenRouter's

    def __post_init__(self) -> None:
        if not 0 < self.outage_s <= 1_800:
            raise ValueError(f"outage_s must be above 0 and at most 1800 seconds, got {self.outage_s}")
        if not 0 < self.window_s <= 1_800:
            raise ValueError(f"window_s must be above 0 and at most 1800 seconds, got {self.window_s}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What one call asks of the order."""

    call: Call
    preferences: Preferences = NO_PREFERENCES
    sort: Sort | None = None
    parameters: frozenset[str] = frozenset()  # names of the request's fields
    favourite: str | None = None  # the pool's name that served the session last


def price_of(call: Call, pool: Pool) -> float:
    """What the call may cost there, in USD, if its answer is as long as most."""
    completion = min(call.max_tokens or USUAL_COMPLETION_TOKENS, USUAL_COMPLETION_TOKENS)
    price = pool.price
    return call.prompt_tokens * price.prompt + completion * price.completion + price.request


class Order:
    """Made once per router."""

    def __init__(self, performance: Performance, rng: Random, settings: OrderSettings) -> None:
        self._performance = performance
        self._rng = rng
        self._settings = settings

    def __call__(self, pools: Iterable[Pool], wish: Wish, now: float) -> list[Pool]:
        """The same pools in the order to try them, at `now`."""
        given = list(pools)
        if len(given) < 2:
            return given
        return sorted(given, key=lambda pool: self._rank(pool, wish, now))

    def _rank(self, pool: Pool, wish: Wish, now: float) -> Rank:
        preferences = wish.preferences
        place = next((i for i, name in enumerate(preferences.order) if is_named(pool, name)), len(preferences.order))
        drops = bool(PREFERRED & wish.parameters and unsupported(PREFERRED & wish.parameters, pool))
        first = (place, self._misses(pool, preferences, now), drops)
        if wish.sort is not None:
            return *first, *self._by(wish.sort, pool, wish.call, now), pool.tier, price_of(wish.call, pool)
        has_outage = self._performance.had_outage(pool.name, now, self._settings.outage_s)
        price = price_of(wish.call, pool)
        if preferences.order:
            return *first, has_outage, pool.tier, price
        # The least of exponential variables divided by their weights is drawn in proportion to the weights.
        chance = self._rng.expovariate(1.0)
        return *first, has_outage, pool.tier, pool.name != wish.favourite, chance * price * price, chance

    def _misses(self, pool: Pool, preferences: Preferences, now: float) -> bool:
        least, most = preferences.preferred_min_throughput, preferences.preferred_max_latency
        window_s = self._settings.window_s
        if least is not None:
            measured = self._performance.throughput(pool.name, now, window_s)
            if not least.are_met(measured, is_least=True):
                return True
        if most is not None:
            measured = self._performance.latency(pool.name, now, window_s)
            return not most.are_met(measured, is_least=False)
        return False

    def _by(self, sort: Sort, pool: Pool, call: Call, now: float) -> Rank:
        window_s = self._settings.window_s
        match sort:
            case Sort.PRICE:
                return (price_of(call, pool),)
            case Sort.LATENCY:
                latency = self._performance.latency(pool.name, now, window_s)
                return (True, 0.0) if latency is None else (False, latency.p50)
            case Sort.THROUGHPUT:
                throughput = self._performance.throughput(pool.name, now, window_s)
                return (True, 0.0) if throughput is None else (False, -throughput.p50)
            case _:  # EXACTO
                success = self._performance.tool_success(pool.name, now, window_s)
                # In whole percents: less is noise, for which nobody should wait longer.
                quality = (True, 0.0) if success is None else (False, -round(success, 2))
                return *quality, *self._by(Sort.THROUGHPUT, pool, call, now)
