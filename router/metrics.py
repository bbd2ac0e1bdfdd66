"""Prometheus series of the router, and the listeners that fill them. All are described in docs/metrics.md.

Label values come from the configuration or from closed sets, never from what a client sent, so the number of series is
bounded. What is only a state (load, breakers, engines) is read when Prometheus asks, not kept in step.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from router.generation import Generation
from router.plugins.file_parser import FileResult
from router.policy.attempt import Attempt
from router.policy.call import Call
from router.policy.key import ANONYMOUS, Key
from router.policy.outcome import Outcome, Usage
from router.policy.quota import DenialReason
from router.protocol.errors import ApiError
from router.protocol.usage import cost
from router.upstream.media_result import Result

TTFT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 30, 60)
DURATION_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 600)
TOKEN_TIME_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5)
DECISION_BUCKETS = (0.00002, 0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.005, 0.01)
ERROR_BUCKETS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)

NO_MODEL = "unknown"  # a model that is not in the catalogue; its name is the client's and not a label


class _Series(dict[tuple[str, ...], Any]):
    """A metric's children by their label values: the client library's own look-up takes a lock each time."""

    def __init__(self, metric: Counter | Histogram) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, values: tuple[str, ...]) -> Any:
        child = self[values] = self._metric.labels(*values)
        return child


class Metrics:
    """The series of one router process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._requests = _Series(
            Counter(
                "tramontane_requests",
                "Requests by how they ended.",
                ["model", "kind", "status"],
                registry=self.registry,
            )
        )
        self._in_flight = Gauge("tramontane_requests_in_flight", "Requests now in the router.", registry=self.registry)
        self._attempts = _Series(
            Counter(
                "tramontane_attempts", "Sends to endpoints by verdict.", ["pool", "verdict"], registry=self.registry
            )
        )
        self._retries = _Series(
            Counter("tramontane_retries", "Sends beyond a request's first.", ["pool"], registry=self.registry)
        )
        self._ttft = _Series(
            Histogram(
                "tramontane_time_to_first_token_seconds",
                "From the request's arrival to the first byte of the engine's answer.",
                ["model"],
                buckets=TTFT_BUCKETS,
                registry=self.registry,
            )
        )
        self._token_time = _Series(
            Histogram(
                "tramontane_time_per_output_token_seconds",
                "Mean time per token after the first, per stream.",
                ["model"],
                buckets=TOKEN_TIME_BUCKETS,
                registry=self.registry,
            )
        )
        self._duration = _Series(
            Histogram(
                "tramontane_request_duration_seconds",
                "From the request's arrival to its last byte.",
                ["model"],
                buckets=DURATION_BUCKETS,
                registry=self.registry,
            )
        )
        self._tokens = _Series(
            Counter(
                "tramontane_tokens",
                "Tokens as engines counted them.",
                ["model", "pool", "kind"],
                registry=self.registry,
            )
        )
        self._attempt_ttft = _Series(
            Histogram(
                "tramontane_attempt_time_to_first_token_seconds",
                "From sending a stream's attempt to its first token.",
                ["pool"],
                buckets=TTFT_BUCKETS,
                registry=self.registry,
            )
        )
        self._predicted_ttft = _Series(
            Histogram(
                "tramontane_predicted_time_to_first_token_seconds",
                "The same as it was predicted when the endpoint was chosen.",
                ["pool"],
                buckets=TTFT_BUCKETS,
                registry=self.registry,
            )
        )
        self._decision = Histogram(
            "tramontane_decision_seconds",
            "Time to choose an endpoint.",
            buckets=DECISION_BUCKETS,
            registry=self.registry,
        )
        self._length_error = _Series(
            Histogram(
                "tramontane_prompt_length_error_ratio",
                "Error of the estimate of a prompt's tokens, as a share of those counted.",
                ["model", "content"],
                buckets=ERROR_BUCKETS,
                registry=self.registry,
            )
        )
        self._estimated = _Series(
            Counter(
                "tramontane_estimated_prompt_tokens",
                "Prompt tokens as estimated; beside those counted it shows which way the estimate errs.",
                ["model"],
                registry=self.registry,
            )
        )
        self._expected_cached = _Series(
            Counter(
                "tramontane_expected_cached_tokens",
                "Prompt tokens believed to be cached where they were sent; beside the `cached_prompt` tokens counted.",
                ["pool"],
                registry=self.registry,
            )
        )
        self._unsent = _Series(
            Counter(
                "tramontane_unsent",
                "Requests refused without being sent (again), by reason.",
                ["model", "reason"],
                registry=self.registry,
            )
        )
        self._queue_wait = _Series(
            Histogram(
                "tramontane_queue_wait_seconds",
                "Time that requests waited in the router for their turn.",
                ["pool"],
                buckets=TTFT_BUCKETS,
                registry=self.registry,
            )
        )
        self._hedges = _Series(
            Counter("tramontane_hedges", "Second attempts beside a late one.", ["pool"], registry=self.registry)
        )
        self._cost = _Series(
            Counter("tramontane_cost_usd", "Cost of answers in US dollars.", ["model", "key"], registry=self.registry)
        )
        self._denied = _Series(
            Counter(
                "tramontane_denied",
                "Requests refused because of their key's rates or budgets.",
                ["reason"],
                registry=self.registry,
            )
        )
        self._beyond_limits = _Series(
            Counter(
                "tramontane_beyond_limits",
                "Requests refused because they are larger than a limit allows.",
                ["limit"],
                registry=self.registry,
            )
        )

        self._fetches = _Series(
            Counter("tramontane_media_fetches", "Pictures fetched, by result.", ["result"], registry=self.registry)
        )
        self._fetched_bytes = Counter("tramontane_media_bytes", "Bytes of fetched pictures.", registry=self.registry)
        self._fetch_time = Histogram(
            "tramontane_media_fetch_seconds",
            "Time to fetch a picture, redirects included.",
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )
        self._fetch_hits = Counter(
            "tramontane_media_cache_hits", "Pictures that had been fetched before.", registry=self.registry
        )
        self._files = _Series(
            Counter("tramontane_files", "Documents to be read, by result.", ["result"], registry=self.registry)
        )
        self._file_pages = Counter(
            "tramontane_file_pages", "Pages of documents that were read.", registry=self.registry
        )
        self._file_time = Histogram(
            "tramontane_file_seconds",
            "Time to read a document, waiting for a process and fetching included.",
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)

    def on_start(self) -> None:
        self._in_flight.inc()

    def on_settle(self, attempt: Attempt, outcome: Outcome, usage: Usage | None) -> None:
        """Listener of every attempt's end."""
        pool = attempt.pool.name
        self._attempts[pool, outcome.verdict.value].inc()
        if attempt.is_hedge:
            self._hedges[(pool,)].inc()
        elif attempt.number > 1:
            self._retries[(pool,)].inc()
        if usage is not None:
            model = attempt.pool.model
            self._tokens[model, pool, "prompt"].inc(max(0, usage.prompt_tokens - usage.cached_tokens))
            self._tokens[model, pool, "cached_prompt"].inc(usage.cached_tokens)
            self._tokens[model, pool, "completion"].inc(usage.completion_tokens)

    def on_first_token(self, attempt: Attempt, predicted_s: float, seconds: float) -> None:
        """Listener of every stream's first token."""
        pool = attempt.pool.name
        self._attempt_ttft[(pool,)].observe(seconds)
        self._predicted_ttft[(pool,)].observe(predicted_s)

    def on_counted(self, attempt: Attempt, call: Call, cached_tokens: int, usage: Usage) -> None:
        """Listener of every answer whose tokens the engine has counted."""
        self._expected_cached[(attempt.pool.name,)].inc(cached_tokens)
        if usage.prompt_tokens:
            error = abs(call.prompt_tokens - usage.prompt_tokens) / usage.prompt_tokens
            self._length_error[attempt.pool.model, call.content].observe(error)
            self._estimated[(attempt.pool.model,)].inc(call.prompt_tokens)

    def on_decided(self, seconds: float) -> None:
        """Listener of every choice of an endpoint."""
        self._decision.observe(seconds)

    def on_waited(self, pool: str, seconds: float) -> None:
        """Listener of every wait for a turn, however it ended."""
        self._queue_wait[(pool,)].observe(seconds)

    def on_end(self, generation: Generation) -> None:
        """Listener of every request's end, once it was parsed."""
        self._in_flight.dec()
        model = generation.pool.model if generation.pool else NO_MODEL
        status = generation.outcome.verdict.value if generation.outcome else "internal_error"
        self._requests[model, generation.request.kind.name, status].inc()
        if generation.unsent is not None:
            self._unsent[generation.pools[0].model, generation.unsent.value].inc()
        if generation.ended is None or generation.first_byte is None or generation.pool is None:
            return
        self._ttft[(model,)].observe(generation.first_byte - generation.started)
        self._duration[(model,)].observe(generation.ended - generation.started)
        if generation.usage is None:
            return
        self._cost[model, _key_label(generation.key)].inc(cost(generation.usage, generation.pool.price))
        if generation.request.call.stream and generation.usage.completion_tokens > 1:
            seconds = generation.ended - generation.first_byte
            self._token_time[(model,)].observe(seconds / (generation.usage.completion_tokens - 1))

    def on_refused(self, error: ApiError) -> None:
        """Listener of requests that were refused before they were parsed."""
        self._requests[NO_MODEL, "unparsed", str(error.status)].inc()
        if error.limit is not None:
            self._beyond_limits[(error.limit,)].inc()

    def on_file(self, result: FileResult, pages: int, seconds: float) -> None:
        """Listener of every document that was to be read, however that ended."""
        self._files[(result.value,)].inc()
        self._file_pages.inc(pages)
        if result is FileResult.READ:
            self._file_time.observe(seconds)

    def on_fetch(self, result: Result, size: int, seconds: float) -> None:
        """Listener of every fetch of a picture, however it ended."""
        self._fetches[(result.value,)].inc()
        self._fetched_bytes.inc(size)
        self._fetch_time.observe(seconds)

    def on_cache_hit(self) -> None:
        """Listener of pictures that had been fetched before."""
        self._fetch_hits.inc()

    def on_denied(self, reason: DenialReason) -> None:
        """Listener of requests that their key's quotas do not allow."""
        self._denied[(reason.value,)].inc()


def _key_label(key: Key) -> str:
    """The name of a key of the configuration; of others, whose number has no bound, where they are known from."""
    source, _, name = key.id.partition(":")
    if source == "config":
        return name
    return source if name else key.id if key.id == ANONYMOUS.id else "database"


class Snapshot(Collector):
    """State read at scrape time."""

    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families()
