"""The models as callers may see them: what the configuration says, what engines say of themselves, what was measured.

A pool's context is the shorter of what the configuration says and what its engines have: neither can be had alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from router.fleet import Fleet
from router.policy.breaker import State
from router.policy.catalog import Dialect, Pool
from router.policy.key import Key
from router.policy.model_names import ModelNames
from router.policy.performance import DAY_S, PUBLISHED_WINDOW_S, Percentiles
from router.policy.preferences import MaxPrice, is_among
from router.protocol.endpoint_object import Measured, Standing, endpoint_object
from router.protocol.engine_facts import EngineFacts
from router.protocol.model_choice import Offer
from router.protocol.model_object import ModelCard
from router.protocol.provider_object import ProviderCard, providers_of

_UPTIME_S = 300.0  # of `uptime_last_5m`
_FRESH_S = 5.0  # what was measured is worked out anew so often: a day's uptime takes a tenth of a millisecond
_FREE = MaxPrice(0.0, 0.0, 0.0)
_ABSENT = Standing(0, 0)


class Performance(Protocol):
    """How pools did, by their names; see `policy.performance`. None: nothing is known."""

    def latency(self, pool: str, now: float, window_s: float) -> Percentiles | None: ...
    def throughput(self, pool: str, now: float, window_s: float) -> Percentiles | None: ...
    def uptime(self, pool: str, now: float, window_s: float) -> float | None: ...
    def tool_success(self, pool: str, now: float, window_s: float) -> float | None: ...


class Catalogue:
    """One per router.

    Args:
        cards: the models, in the order of the configuration.
        pools: all there are, likewise.
        names: what else models may be called.
        providers: what is said of some providers.
        performance: how pools did.
        engines: what the engines of a pool say of themselves, by its name.
        standings: how many endpoints each pool has, and how many can be sent to, by its name.
        clock: monotonic seconds, as the performance has them.
    """

    def __init__(
        self,
        cards: Iterable[ModelCard],
        pools: Sequence[Pool],
        *,
        names: ModelNames,
        providers: Iterable[ProviderCard],
        performance: Performance,
        engines: Callable[[str], Sequence[EngineFacts]],
        standings: Callable[[], Mapping[str, Standing]],
        clock: Callable[[], float],
    ) -> None:
        self._cards = {card.id: card for card in cards}
        self._pools: dict[str, list[Pool]] = {}
        for pool in pools:
            self._pools.setdefault(pool.model, []).append(pool)
        self._names = names
        self._performance = performance
        self._engines = engines
        self._standings = standings
        self._clock = clock
        self._measures: dict[str, tuple[float, Measured]] = {}  # by pool: when, and what
        self.providers = providers_of(pools, providers)

    def offers(self, key: Key | None = None) -> list[Offer]:
        """All models; with a key those that it may use, and the pools that serve them to it."""
        found = (self._offer(model, lambda pool: key is None or _may_use(key, pool)) for model in self._cards)
        return [offer for offer in found if offer is not None]

    def find(self, name: str) -> Offer | None:
        """One model by any of its names; of a free variant the pools that cost nothing. None: nothing is called so."""
        asked = self._names.resolve(name)
        if asked is None or asked.is_choice:
            return None
        return self._offer(asked.models[0], lambda pool: not asked.is_free or _FREE.allows(pool))

    def endpoints(self, offers: Iterable[Offer], keep: Callable[[Pool], bool] = lambda pool: True) -> list[object]:
        """The pools of models in OpenRouter's shape, as far as they are to be kept."""
        standings = self._standings()
        return [
            endpoint_object(
                offer.card,
                pool,
                context,
                standings.get(pool.name, _ABSENT),
                self._measured(pool.name),
                self._engines(pool.name),
            )
            for offer in offers
            for pool, context in offer.pools.items()
            if keep(pool)
        ]

    def context_length(self, pool: Pool) -> int:
        """Tokens."""
        told = (each.max_model_len for each in self._engines(pool.name) if each.max_model_len is not None)
        return min((pool.context_length, *told))

    def latency(self, pool: str) -> float | None:
        """Seconds to the first token, the median of half an hour."""
        percentiles = self._performance.latency(pool, self._clock(), PUBLISHED_WINDOW_S)
        return None if percentiles is None else percentiles.p50

    def throughput(self, pool: str) -> float | None:
        """Tokens per second, the median of half an hour."""
        percentiles = self._performance.throughput(pool, self._clock(), PUBLISHED_WINDOW_S)
        return None if percentiles is None else percentiles.p50

    def tool_success(self, pool: str) -> float | None:
        """Share of the answers with tool calls whose calls were well formed, of half an hour."""
        return self._performance.tool_success(pool, self._clock(), PUBLISHED_WINDOW_S)

    def _offer(self, model: str, keep: Callable[[Pool], bool]) -> Offer | None:
        pools = {pool: self.context_length(pool) for pool in self._pools.get(model, ()) if keep(pool)}
        return Offer(self._cards[model], pools) if pools else None

    def _measured(self, pool: str) -> Measured:
        performance, now = self._performance, self._clock()
        known = self._measures.get(pool)
        if known is not None and now - known[0] < _FRESH_S:
            return known[1]
        measured = Measured(
            latency=performance.latency(pool, now, PUBLISHED_WINDOW_S),
            throughput=performance.throughput(pool, now, PUBLISHED_WINDOW_S),
            uptime_5m=performance.uptime(pool, now, _UPTIME_S),
            uptime_30m=performance.uptime(pool, now, PUBLISHED_WINDOW_S),
            uptime_1d=performance.uptime(pool, now, DAY_S),
        )
        self._measures[pool] = now, measured
        return measured


def standings_of(fleet: Fleet) -> dict[str, Standing]:
    """By pools' names. Up is whose breaker lets anything through; one of ours must have answered its probe, too."""
    standings: dict[str, Standing] = {}
    for view in fleet.views():
        is_up = view.breaker is not State.OPEN and (view.engine is not None or view.pool.dialect is not Dialect.VLLM)
        known = standings.get(view.pool.name, _ABSENT)
        standings[view.pool.name] = Standing(known.up + is_up, known.all + 1)
    return standings


def _may_use(key: Key, pool: Pool) -> bool:
    """As `policy.eligible` has it of a request."""
    return (
        (key.models is None or pool.model in key.models)
        and pool.model not in key.ignored_models
        and (key.providers is None or is_among(pool, key.providers))
        and not (key.ignored_providers and is_among(pool, key.ignored_providers))
        and key.data_policy.why_not(pool) is None
    )
