"""What providers that are not ours get of the traffic, as Prometheus series, read at scrape time."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from router.policy.allotment import Allotment


def provider_series(allotments: Mapping[str, Allotment]) -> Iterator[Metric]:
    """Of each provider, by its slug."""
    under_way = GaugeMetricFamily(
        "tramontane_provider_requests", "Requests under way at a provider that is not ours.", labels=["provider"]
    )
    refused = CounterMetricFamily(
        "tramontane_provider_beyond_allotment",
        "Requests that were not sent to a provider because it has had its allotment.",
        labels=["provider"],
    )
    for slug, allotment in allotments.items():
        under_way.add_metric([slug], allotment.under_way)
        refused.add_metric([slug], allotment.refused)
    yield from (under_way, refused)
