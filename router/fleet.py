"""The fleet as operators see it: each endpoint's load, breaker and engine figures, for /status and /metrics."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from router.policy.breaker import State
from router.policy.catalog import Dialect, Endpoint, Pool
from router.policy.load import Account
from router.policy.route import Rules
from router.protocol.engine_metrics import EngineMetrics
from router.protocol.explain import name_of

About = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One endpoint at one moment."""

    pool: Pool
    endpoint: Endpoint
    breaker: State
    account: Account
    cached_blocks: int
    bias: float
    engine: EngineMetrics | None  # None: not probed lately

    @property
    def state(self) -> str:
        """`unprobed` when an engine of ours did not answer its last probe, else the breaker's state."""
        return self.breaker.value if self.is_known else "unprobed"

    @property
    def is_known(self) -> bool:
        """Did the engine answer its last probe? Providers that are not ours are never probed."""
        return self.engine is not None or self.pool.dialect is not Dialect.VLLM


class Fleet:
    """Reads what others keep; keeps nothing."""

    def __init__(
        self,
        *,
        pools: Sequence[Pool],
        endpoints: Callable[[str], Sequence[Endpoint]],
        engine_metrics: Callable[[Endpoint], EngineMetrics | None],
        rules: Rules,
        clock: Callable[[], float],
        about: About = dict,
        may_be_empty: Set[str] = frozenset(),
    ) -> None:
        """
        Args:
            about: what is told of the configuration that this is of.
            may_be_empty: names of pools that somebody gives an endpoint when callers wait for one.
        """
        self._pools = pools
        self._endpoints = endpoints
        self._engine_metrics = engine_metrics
        self._rules = rules
        self._clock = clock
        self._about = about
        self._may_be_empty = may_be_empty

    def views(self) -> Iterator[EndpointView]:
        """Every endpoint of every pool, in the order of the configuration."""
        now = self._clock()
        for pool in self._pools:
            for endpoint in self._endpoints(pool.name):
                yield EndpointView(
                    pool=pool,
                    endpoint=endpoint,
                    breaker=self._rules.breakers.of(endpoint.id).state(now),
                    account=self._rules.load.of(endpoint.id),
                    cached_blocks=self._rules.index.blocks(endpoint.id),
                    bias=self._rules.picker(pool.name).forecast.bias(endpoint.id),
                    engine=self._engine_metrics(endpoint),
                )

    @property
    def is_ready(self) -> bool:
        """Is there anybody who could answer a request now, or would come if there were one?"""
        if any(view.state != "unprobed" for view in self.views()):
            return True
        return any(not self._endpoints(pool) for pool in self._may_be_empty)

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
                    "name": name_of(view.endpoint.id),
                    "streams": view.account.streams,
                    "queued_tokens": view.account.queued,
                    "all_streams": view.account.all_streams,
                    "all_queued_tokens": view.account.all_queued,
                    "running": view.engine.running if view.engine else None,
                    "waiting": view.engine.waiting if view.engine else None,
                    "kv_cache_usage": view.engine.kv_usage if view.engine else None,
                }
            )
        return {
            "models": list(dict.fromkeys(pool.model for pool in self._pools)),
            "pools": list(pools.values()),
            "config": dict(self._about()),
        }

    def gauges(self) -> Iterator[GaugeMetricFamily]:
        """The same as Prometheus gauges, read at scrape time."""
        labels = ["pool", "endpoint"]
        up = GaugeMetricFamily("tramontane_endpoint_up", "1 if the engine answered its last probe.", labels=labels)
        state = GaugeMetricFamily("tramontane_endpoint_breaker_open", "1 open, 0.5 half-open, 0 closed.", labels=labels)
        streams = GaugeMetricFamily("tramontane_endpoint_streams", "This router's requests there.", labels=labels)
        queued = GaugeMetricFamily(
            "tramontane_endpoint_queued_tokens",
            "Prompt tokens this router sent there that are neither cached nor computed yet.",
            labels=labels,
        )
        context = GaugeMetricFamily(
            "tramontane_endpoint_context_tokens", "Tokens this router's requests may hold there.", labels=labels
        )
        all_streams = GaugeMetricFamily(
            "tramontane_endpoint_all_streams", "Requests there, of all routers and others.", labels=labels
        )
        all_queued = GaugeMetricFamily(
            "tramontane_endpoint_all_queued_tokens", "Queued prompt tokens of all routers and others.", labels=labels
        )
        blocks = GaugeMetricFamily(
            "tramontane_endpoint_cached_blocks", "Blocks of prompts the endpoint is believed to hold.", labels=labels
        )
        bias = GaugeMetricFamily(
            "tramontane_endpoint_forecast_bias", "Actual to predicted time to first token, of late.", labels=labels
        )
        running = GaugeMetricFamily("tramontane_endpoint_running", "Requests in the engine's batch.", labels=labels)
        waiting = GaugeMetricFamily("tramontane_endpoint_waiting", "Requests in the engine's queue.", labels=labels)
        for view in self.views():
            key = [view.pool.name, view.endpoint.id]
            up.add_metric(key, float(view.is_known))
            state.add_metric(key, {State.CLOSED: 0.0, State.HALF_OPEN: 0.5, State.OPEN: 1.0}[view.breaker])
            streams.add_metric(key, view.account.streams)
            queued.add_metric(key, view.account.queued)
            context.add_metric(key, view.account.context)
            all_streams.add_metric(key, view.account.all_streams)
            all_queued.add_metric(key, view.account.all_queued)
            blocks.add_metric(key, view.cached_blocks)
            bias.add_metric(key, view.bias)
            if view.engine is not None and view.engine.running is not None:
                running.add_metric(key, view.engine.running)
            if view.engine is not None and view.engine.waiting is not None:
                waiting.add_metric(key, view.engine.waiting)
        yield from (up, state, streams, queued, context, all_streams, all_queued, blocks, bias, running, waiting)
        yield from self._waiting_gauges()

    def _waiting_gauges(self) -> Iterator[GaugeMetricFamily]:
        length = GaugeMetricFamily(
            "tramontane_queue_length", "Requests that wait in the router for their turn.", labels=["pool", "priority"]
        )
        tokens = GaugeMetricFamily("tramontane_queue_tokens", "Prompt tokens of those.", labels=["pool"])
        homeless = GaugeMetricFamily(
            "tramontane_waiting_for_endpoint", "Requests that wait here for the first endpoint.", labels=["pool"]
        )
        index = GaugeMetricFamily("tramontane_prefix_index_blocks", "Distinct blocks in the prefix index.")
        for pool in self._pools:
            queue = self._rules.queue(pool.name)
            for priority, count in queue.lengths().items():
                length.add_metric([pool.name, priority.name.lower()], count)
            tokens.add_metric([pool.name], queue.queued_tokens)
            homeless.add_metric([pool.name], 0 if self._endpoints(pool.name) else len(queue))
        index.add_metric([], len(self._rules.index))
        yield from (length, tokens, homeless, index)
