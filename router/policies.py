"""All that one configuration decides with, put together of its settings and of what the router has learnt.

What a pool has learnt by itself (its forecast, its hedges, whose turn it was) goes on where its settings are the same.
The queue of a pool is one for all configurations that have the pool, so who waits is never counted twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from router.config import Config
from router.learnt import Learnt
from router.policy.admission import Admission, AdmissionSettings
from router.policy.balancers import make
from router.policy.catalog import Dialect, Endpoint, Pool
from router.policy.deadline import Deadlines
from router.policy.fair_queue import FairQueue
from router.policy.favourites import Favourites
from router.policy.forecast import ForecastSettings
from router.policy.hedge import Hedges
from router.policy.model_names import ModelNames
from router.policy.picker import Picker
from router.policy.plan import Planner
from router.policy.retry import RetryPolicy
from router.policy.retry_budget import RetryBudget
from router.policy.route import Observer, Rules
from router.sections import PoolSection
from router.shared import Holder

# Of a provider that is not ours nothing is known of its engines: prompts queue there unseen, and what it may have is
# bounded by its allotment instead.
_NO_QUEUE = AdmissionSettings(saturated_s=None)
_NO_ENGINE = ForecastSettings(prefill_tokens_per_s=1e9)


class Policies:
    """One per configuration.

    Args:
        config: as it is in force.
        learnt: of the router.
        parts: what is shared with other configurations.
        slots: by which names the directory knows the pools, by their own.
        endpoints: of a slot.
        observer: of attempts.
        rng: chance.
    """

    def __init__(
        self,
        config: Config,
        learnt: Learnt,
        parts: Holder,
        *,
        slots: Mapping[str, str],
        endpoints: Callable[[str], Sequence[Endpoint]],
        observer: Observer,
        rng: Random,
    ) -> None:
        self._config = config
        self._learnt = learnt
        self._parts = parts
        self._slots = slots
        self._rng = rng
        routing, pools = config.routing, config.pools()
        self.names = ModelNames(
            [pool for pool, _ in pools],
            created={model.id: model.created for model in config.models},
            aliases=config.aliases,
        )
        self.planner = Planner(
            self.names,
            performance=learnt.performance,
            rng=rng,
            order=routing.order,
            favourites=parts.keep("favourites", routing.favourites, partial(Favourites, routing.favourites)),
        )
        sections = {pool.name: section for pool, section in pools}
        self._connect_s = {provider.slug: provider.connect_s for provider in config.providers}
        self.pickers = {pool.name: self._picker(pool, section) for pool, section in pools}
        queue = partial(FairQueue, learnt.queueing, learnt.attained)
        self.queues = {name: parts.keep(f"queue of {slots[name]}", None, queue) for name in sections}
        hedge = config.hedge
        self.hedges = {name: parts.keep(f"hedges of {slots[name]}", hedge, partial(Hedges, hedge)) for name in sections}
        budget = config.retry_budget
        self.rules = Rules(
            endpoints=lambda pool: endpoints(slots[pool]),
            picker=self.pickers.__getitem__,
            queue=self.queues.__getitem__,
            hedges=self.hedges.__getitem__,
            deadlines={name: self._deadlines(section) for name, section in sections.items()}.__getitem__,
            breakers=learnt.breakers,
            load=learnt.load,
            index=learnt.index,
            lengths=learnt.lengths,
            adapters=learnt.adapters,
            retry=RetryPolicy(config.retry),
            retry_budget=parts.keep("retry budget", budget, partial(RetryBudget, budget)),
            observer=observer,
            announce=learnt.announce,
            waiting_room_s=config.waiting.room_s,
            waiting_rooms={
                name: section.waiting_room_s for name, section in sections.items() if section.waiting_room_s is not None
            },
            performance=learnt.performance,
        )

    def context_of(self, name: str) -> int | None:
        """The longest prompt that the pools of the models take which may be meant by a name; None: there is none."""
        asked = self.names.resolve(name)
        models = () if asked is None else asked.models
        return max((pool.context_length for model in models for pool in self.names.pools(model)), default=None)

    def _deadlines(self, section: PoolSection) -> Deadlines:
        deadlines = section.deadlines or self._config.deadlines
        connect_s = self._connect_s.get(section.provider)
        return deadlines if connect_s is None else replace(deadlines, connect_s=connect_s)

    def _picker(self, pool: Pool, section: PoolSection) -> Picker:
        config, learnt, slot = self._config, self._learnt, self._slots[pool.name]
        is_ours = pool.dialect is Dialect.VLLM
        first_token_s = self._deadlines(section).first_token_s
        forecast = section.forecast or (config.routing.forecast if is_ours else _NO_ENGINE)
        name, settings = section.balancer if is_ours else "least-request", config.routing.balancers
        return Picker(
            name=name,
            balancer=self._parts.keep(
                f"balancer of {slot}", (name, settings), partial(make, name, settings, self._rng)
            ),
            admission=Admission(section.admission or (config.admission if is_ours else _NO_QUEUE), first_token_s),
            forecast=self._parts.keep(
                f"forecast of {slot}", forecast, partial(learnt.forecast, forecast), learnt.dismiss
            ),
            load=learnt.load,
            index=learnt.index,
            slow_start=learnt.slow_start,
            adapters=learnt.adapters,
            rng=self._rng,
            adapter=pool.adapter,
            apart=learnt.apart,
        )
