"""What a router has learnt of engines, accounts and other routers: it lives as long as the process.

The configuration it is made with is that of the start; see reload_sections. Hears from the directory who comes and who
leaves.
"""

import secrets
import socket
from collections.abc import Callable, Sequence

from router.config import Config
from router.policy.adapters import Adapters
from router.policy.apart import Apart
from router.policy.attained import AttainedService
from router.policy.breakers import Breakers
from router.policy.catalog import EndpointId
from router.policy.fair_queue import FairQueueSettings
from router.policy.forecast import Forecast, ForecastSettings
from router.policy.length import Lengths
from router.policy.load import TokenLoad
from router.policy.mesh import Mesh
from router.policy.performance import Performance
from router.policy.prefix import PrefixIndex
from router.policy.slow_start import SlowStart
from router.protocol.outbox import Outbox
from router.upstream.directory import Directory

_BOOT_BITS = 63


class Learnt:
    """One per router."""

    def __init__(self, started: Config, directory: Directory, *, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self.load = TokenLoad()
        self.index = PrefixIndex(started.routing.prefix)
        self.breakers = Breakers(started.breaker)
        self.lengths = Lengths()
        self.adapters = Adapters()
        self.performance = Performance()
        self.slow_start = SlowStart(started.routing.slow_start)
        self._forecasts: set[Forecast] = set()
        boot_id = secrets.randbits(_BOOT_BITS)
        self.boot = f"{boot_id:016x}"
        gossip = started.mesh.gossip
        self.mesh = Mesh(
            boot_id=boot_id,
            set_peers=self.load.set_peers,
            insert=self.index.add,
            expiry_s=gossip.expiry_s,
            max_peers=gossip.max_peers,
        )
        self.outbox = (
            None
            if started.mesh.secret is None
            else Outbox(
                socket.gethostname()[:64],
                boot_id,
                started=clock(),
                insert_bytes=gossip.insert_bytes,
                queue_bytes=gossip.queue_bytes,
                max_accounts=gossip.max_accounts,
            )
        )
        self.apart = None if self.outbox is None else Apart(boot_id, self.mesh.is_alone)
        self.queueing: FairQueueSettings = started.waiting.queue
        self.attained = AttainedService(
            half_life_s=self.queueing.half_life_s,
            output_weight=self.queueing.output_weight,
            max_accounts=self.queueing.max_accounts,
            peers=self.mesh.service,
        )
        directory.on_added(lambda endpoint_id: self.slow_start.began(endpoint_id, clock()))
        directory.on_removed(self._forget)

    def forecast(self, settings: ForecastSettings) -> Forecast:
        """A new one, which endpoints are taken from when they leave, until it is `dismiss`ed."""
        forecast = Forecast(settings)
        self._forecasts.add(forecast)
        return forecast

    def dismiss(self, forecast: Forecast) -> None:
        """Nobody asks it any more."""
        self._forecasts.discard(forecast)

    def announce(self, endpoint_id: EndpointId, hashes: Sequence[int]) -> None:
        """Tell the other routers, where there are any, that a prompt was sent there."""
        if self.outbox is not None:
            self.outbox.insert(endpoint_id, hashes)

    def leave(self) -> None:
        """Tell them, at the next tick, that this one takes no more requests."""
        if self.outbox is not None:
            self.outbox.is_leaving = True

    def _forget(self, endpoint_id: EndpointId) -> None:
        """Drop what was learnt of an endpoint that has left."""
        for keeper in (self.breakers, self.load, self.index, self.slow_start, self.adapters):
            keeper.forget(endpoint_id)
        for forecast in self._forecasts:
            forecast.forget(endpoint_id)
