"""What stored responses are at, as Prometheus series: read when Prometheus asks."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from router.store.kept_responses import KeptResponses


def response_series(kept: KeptResponses) -> Iterator[Metric]:
    """Of answers on their way into the database and out of it."""
    for name, meaning, value in (
        ("responses_waiting", "Answers that are to be stored and are not yet.", len(kept)),
        ("responses_waiting_bytes", "Bytes of these.", kept.waiting_bytes),
    ):
        gauge = GaugeMetricFamily(f"tramontane_{name}", meaning)
        gauge.add_metric([], value)
        yield gauge
    for name, meaning, value in (
        ("responses_stored", "Answers written to the database.", kept.written),
        ("responses_dropped", "Answers not stored: no room, or the database refused them.", kept.dropped),
        ("responses_failures", "Transactions of stored answers that failed.", kept.failures),
        ("responses_swept", "Answers deleted because they had expired or were too many.", kept.swept),
    ):
        counter = CounterMetricFamily(f"tramontane_{name}", meaning)
        counter.add_metric([], value)
        yield counter
