"""How batches get on, as Prometheus series, read at scrape time."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from router.batches.clerk import BatchClerk
from router.batches.runner import BatchRunner


def batch_series(runner: BatchRunner, clerk: BatchClerk) -> Iterator[Metric]:
    """Of this router."""
    yield GaugeMetricFamily(
        "tramontane_batch_requests_running", "Requests of batches that this router has under way.", runner.running
    )
    results = CounterMetricFamily(
        "tramontane_batch_requests", "Requests of batches that this router has ended, by result.", labels=["result"]
    )
    for result, count in (("completed", runner.completed), ("failed", runner.failed)):
        results.add_metric([result], count)
    yield results
    for name, words, count in (
        ("tramontane_batch_retries", "Attempts at requests of batches that failed and are made again.", runner.retried),
        ("tramontane_batch_lost_claims", "Requests of batches that another router had taken over.", runner.lost),
        ("tramontane_batches_ended", "Batches that this router has ended.", clerk.ended),
    ):
        yield CounterMetricFamily(name, words, count)
