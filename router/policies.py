"""All that a router decides with, put together from its configuration."""

import secrets
import socket
from collections.abc import Callable, Sequence
from random import Random

from router.config import Config
from router.policy.adapters import Adapters
from router.policy.admission import Admission, AdmissionSettings
from router.policy.apart import Apart
from router.policy.attained import AttainedService
from router.policy.balancers import make
from router.policy.breakers import Breakers
from router.policy.catalog import Dialect, EndpointId, Pool
from router.policy.fair_queue import FairQueue
from router.policy.forecast import Forecast, ForecastSettings
from router.policy.hedge import Hedges
from router.policy.length import Lengths
from router.policy.load import TokenLoad
from router.policy.mesh import Mesh
from router.policy.model_names import ModelNames
from router.policy.performance import Performance
from router.policy.picker import Picker
from router.policy.plan import Planner
from router.policy.prefix import PrefixIndex
from router.policy.retry import RetryPolicy
from router.policy.retry_budget import RetryBudget
from router.policy.route import Observer, Rules
from router.policy.slow_start import SlowStart
from router.protocol.outbox import Outbox
from router.sections import PoolSection
from router.upstream.directory import Directory

_BOOT_BITS = 63
# Of a provider that is not ours nothing is known of its engines: prompts queue there unseen, and what it may have is
# bounded by its allotment instead.
_NO_QUEUE = AdmissionSettings(saturated_s=None)
_NO_ENGINE = ForecastSettings(prefill_tokens_per_s=1e9)


class Policies:
    """One per router. Hears from the directory who comes, who leaves and what engines say."""

    def __init__(
        self, config: Config, directory: Directory, *, observer: Observer, clock: Callable[[], float], rng: Random
    ) -> None:
        self._config = config
        self._rng = rng
        self.load = TokenLoad()
        self.index = PrefixIndex(config.routing.prefix)
        self.breakers = Breakers(config.breaker)
        self.lengths = Lengths()
        self.adapters = Adapters()
        self.performance = Performance()
        self.names = ModelNames(
            [pool for pool, _ in config.pools()],
            created={model.id: model.created for model in config.models},
            aliases=config.aliases,
        )
        self.planner = Planner(
            self.names,
            performance=self.performance,
            rng=rng,
            order=config.routing.order,
            favourites=config.routing.favourites,
        )
        self.slow_start = SlowStart(config.routing.slow_start)
        boot_id = secrets.randbits(_BOOT_BITS)
        self.boot = f"{boot_id:016x}"
        gossip = config.mesh.gossip
        self.mesh = Mesh(
            boot_id=boot_id,
            set_peers=self.load.set_peers,
            insert=self.index.add,
            expiry_s=gossip.expiry_s,
            max_peers=gossip.max_peers,
        )
        self.outbox = (
            None
            if config.mesh.secret is None
            else Outbox(
                socket.gethostname()[:64],
                boot_id,
                started=clock(),
                insert_bytes=gossip.insert_bytes,
                queue_bytes=gossip.queue_bytes,
                max_accounts=gossip.max_accounts,
            )
        )
        self._apart = Apart(boot_id, self.mesh.is_alone)
        waiting = config.waiting.queue
        self.attained = AttainedService(
            half_life_s=waiting.half_life_s,
            output_weight=waiting.output_weight,
            max_accounts=waiting.max_accounts,
            peers=self.mesh.service,
        )
        sections = {pool.name: section for pool, section in config.pools()}
        self.pickers = {pool.name: self._picker(pool, section) for pool, section in config.pools()}
        self.queues = {name: FairQueue(waiting, self.attained) for name in sections}
        self.hedges = {name: Hedges(config.hedge) for name in sections}
        directory.on_added(lambda endpoint_id: self.slow_start.began(endpoint_id, clock()))
        directory.on_removed(self._forget)
        self.rules = Rules(
            endpoints=directory.endpoints,
            picker=self.pickers.__getitem__,
            queue=self.queues.__getitem__,
            hedges=self.hedges.__getitem__,
            deadlines=lambda pool: sections[pool].deadlines or config.deadlines,
            breakers=self.breakers,
            load=self.load,
            index=self.index,
            lengths=self.lengths,
            adapters=self.adapters,
            retry=RetryPolicy(config.retry),
            retry_budget=RetryBudget(config.retry_budget),
            observer=observer,
            announce=_tell_nobody if self.outbox is None else self.outbox.insert,
            waiting_room_s=config.waiting.room_s,
            performance=self.performance,
        )

    def context_of(self, name: str) -> int | None:
        """The longest prompt that the pools of the models take which may be meant by a name; None: there is none."""
        asked = self.names.resolve(name)
        models = () if asked is None else asked.models
        return max((pool.context_length for model in models for pool in self.names.pools(model)), default=None)

    def leave(self) -> None:
        """Tell the other routers, at the next tick, that this one takes no more requests."""
        if self.outbox is not None:
            self.outbox.is_leaving = True

    def _picker(self, pool: Pool, section: PoolSection) -> Picker:
        config = self._config
        is_ours = pool.dialect is Dialect.VLLM
        first_token_s = (section.deadlines or config.deadlines).first_token_s
        return Picker(
            name=section.balancer if is_ours else "least-request",
            balancer=make(section.balancer if is_ours else "least-request", config.routing.balancers, self._rng),
            admission=Admission(section.admission or (config.admission if is_ours else _NO_QUEUE), first_token_s),
            forecast=Forecast(section.forecast or (config.routing.forecast if is_ours else _NO_ENGINE)),
            load=self.load,
            index=self.index,
            slow_start=self.slow_start,
            adapters=self.adapters,
            rng=self._rng,
            adapter=pool.adapter,
            apart=None if self.outbox is None else self._apart,
        )

    def _forget(self, endpoint_id: EndpointId) -> None:
        """Drop what was learnt of an endpoint that has left."""
        for keeper in (self.breakers, self.load, self.index, self.slow_start, self.adapters):
            keeper.forget(endpoint_id)
        for picker in self.pickers.values():
            picker.forecast.forget(endpoint_id)


def _tell_nobody(endpoint_id: EndpointId, hashes: Sequence[int]) -> None:
    """Of a router without sisters."""
