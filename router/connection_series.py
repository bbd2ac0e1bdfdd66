"""Who stands at the front door, as Prometheus series."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from router.front.door import Door
from router.front.tls import Certificates


def connection_series(door: Door, certificates: Iterable[Certificates]) -> Iterator[Metric]:
    """Of the clients' connections on all ports, and of the certificates that are shown to them."""
    connections = GaugeMetricFamily("tramontane_connections", "Connections of clients by state.", labels=["state"])
    connections.add_metric(["idle"], door.idle)
    connections.add_metric(["refused"], door.lingering)
    connections.add_metric(["busy"], door.open - door.idle - door.lingering)
    limit = GaugeMetricFamily("tramontane_connections_limit", "Connections that clients may have in all.")
    limit.add_metric([], door.most_connections)
    refused = CounterMetricFamily(
        "tramontane_connections_refused", "Connections and requests ended at the front door.", labels=["reason"]
    )
    for refusal, count in door.refused.items():
        refused.add_metric([refusal.label], count)
    reloads = CounterMetricFamily(
        "tramontane_tls_reloads", "Changes of the certificate's files by what came of them.", labels=["outcome"]
    )
    shown = list(certificates)
    reloads.add_metric(["taken"], sum(each.reloads for each in shown))
    reloads.add_metric(["refused"], sum(each.failures for each in shown))
    yield from (connections, limit, refused, reloads)
    if not shown:
        return
    name = "tramontane_tls_certificate"
    begins = GaugeMetricFamily(f"{name}_not_before_timestamp_seconds", "When the chain that is shown became valid.")
    begins.add_metric([], max(each.validity.begins for each in shown))
    ends = GaugeMetricFamily(f"{name}_not_after_timestamp_seconds", "When the first of the chain expires.")
    ends.add_metric([], min(each.validity.ends for each in shown))
    yield from (begins, ends)
