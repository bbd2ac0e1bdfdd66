"""The fleet as operators see it: each endpoint's load, breaker and engine figures, for /status and /metrics."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from router.policy.breaker import State
from router.policy.breakers import Breakers
from router.policy.catalog import Endpoint, Pool
from router.policy.load import TokenLoad
from router.protocol.engine_metrics import EngineMetrics


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One endpoint at one moment."""

    pool: Pool
    endpoint: Endpoint
    breaker: State
    streams: int
    outstanding_tokens: int
    engine: EngineMetrics | None  # None: not probed lately

    @property
    def state(self) -> str:
        """`unprobed` when the engine did not answer its last probe, else the breaker's state."""
        return self.breaker.value if self.engine is not None else "unprobed"


class Fleet:
    """Reads what others keep; keeps nothing."""

    def __init__(
        self,
        *,
        pools: Sequence[Pool],
        endpoints: Callable[[str], Sequence[Endpoint]],
        engine_metrics: Callable[[Endpoint], EngineMetrics | None],
        breakers: Breakers,
        load: TokenLoad,
        clock: Callable[[], float],
    ) -> None:
        self._pools = pools
        self._endpoints = endpoints
        self._engine_metrics = engine_metrics
        self._breakers = breakers
        self._load = load
        self._clock = clock

    def views(self) -> Iterator[EndpointView]:
        """Every endpoint of every pool, in the order of the configuration."""
        now = self._clock()
        for pool in self._pools:
            for endpoint in self._endpoints(pool.name):
                yield EndpointView(
                    pool=pool,
                    endpoint=endpoint,
                    breaker=self._breakers.of(endpoint.id).state(now),
                    streams=self._load.streams(endpoint.id),
                    outstanding_tokens=self._load.outstanding(endpoint.id),
                    engine=self._engine_metrics(endpoint),
                )

    @property
    def is_ready(self) -> bool:
        """Is there anybody who could answer a request now?"""
        return any(view.state != "unprobed" for view in self.views())

    def status(self) -> dict[str, Any]:
        """What `tramontane status` shows."""
        pools: dict[str, dict[str, Any]] = {
            pool.name: {"name": pool.name, "model": pool.model, "provider": pool.provider, "endpoints": []}
            for pool in self._pools
        }
        for view in self.views():
            pools[view.pool.name]["endpoints"].append(
                {
                    "id": view.endpoint.id,
                    "url": view.endpoint.url,
                    "state": view.state,
                    "streams": view.streams,
                    "outstanding_tokens": view.outstanding_tokens,
                    "running": view.engine.running if view.engine else None,
                    "waiting": view.engine.waiting if view.engine else None,
                    "kv_cache_usage": view.engine.kv_usage if view.engine else None,
                }
            )
        return {"models": list(dict.fromkeys(pool.model for pool in self._pools)), "pools": list(pools.values())}

    def gauges(self) -> Iterator[GaugeMetricFamily]:
        """The same as Prometheus gauges, read at scrape time."""
        labels = ["pool", "endpoint"]
        up = GaugeMetricFamily("tramontane_endpoint_up", "1 if the engine answered its last probe.", labels=labels)
        state = GaugeMetricFamily("tramontane_endpoint_breaker_open", "1 open, 0.5 half-open, 0 closed.", labels=labels)
        streams = GaugeMetricFamily("tramontane_endpoint_streams", "This router's requests there.", labels=labels)
        tokens = GaugeMetricFamily(
            "tramontane_endpoint_outstanding_tokens", "Tokens this router has outstanding there.", labels=labels
        )
        running = GaugeMetricFamily("tramontane_endpoint_running", "Requests in the engine's batch.", labels=labels)
        waiting = GaugeMetricFamily("tramontane_endpoint_waiting", "Requests in the engine's queue.", labels=labels)
        for view in self.views():
            key = [view.pool.name, view.endpoint.id]
            up.add_metric(key, float(view.engine is not None))
            state.add_metric(key, {State.CLOSED: 0.0, State.HALF_OPEN: 0.5, State.OPEN: 1.0}[view.breaker])
            streams.add_metric(key, view.streams)
            tokens.add_metric(key, view.outstanding_tokens)
            if view.engine is not None and view.engine.running is not None:
                running.add_metric(key, view.engine.running)
            if view.engine is not None and view.engine.waiting is not None:
                waiting.add_metric(key, view.engine.waiting)
        yield from (up, state, streams, tokens, running, waiting)
