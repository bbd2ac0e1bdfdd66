"""What is heard from outside beside answers, as Prometheus series: other routers, and the engines' cache events."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from router.policy.catalog import EndpointId
from router.policy.mesh import Mesh
from router.upstream.gossip import GossipCounts
from router.upstream.kv_event_follower import Follower


def mesh_series(mesh: Mesh, counts: Callable[[], GossipCounts], clock: Callable[[], float]) -> Iterator[Metric]:
    """Of the routers that share their state."""
    seen, now = counts(), clock()
    routers = GaugeMetricFamily("tramontane_mesh_routers", "Routers that are heard, this one included.")
    routers.add_metric([], mesh.routers(now))
    alone = GaugeMetricFamily("tramontane_mesh_alone", "1 if there are other routers and none of them is heard.")
    alone.add_metric([], float(mesh.is_alone(now)))
    datagrams = CounterMetricFamily(
        "tramontane_mesh_datagrams", "Datagrams to and from other routers.", labels=["direction"]
    )
    datagrams.add_metric(["sent"], seen.sent)
    datagrams.add_metric(["received"], seen.received)
    dropped = CounterMetricFamily(
        "tramontane_mesh_dropped_datagrams", "Datagrams that counted for nothing.", labels=["reason"]
    )
    for reason, count in sorted(seen.dropped.items()):
        dropped.add_metric([reason], count)
    inserts = CounterMetricFamily("tramontane_mesh_dropped_inserts", "Pieces of prompts that waited too long.")
    inserts.add_metric([], seen.inserts_dropped)
    left_out = CounterMetricFamily("tramontane_mesh_left_out", "Endpoints and accounts no datagram had room for.")
    left_out.add_metric([], seen.left_out)
    yield from (routers, alone, datagrams, dropped, inserts, left_out)


def cache_series(followers: Iterable[tuple[EndpointId, Follower]]) -> Iterator[Metric]:
    """Of the engines whose caches are followed."""
    exact = GaugeMetricFamily(
        "tramontane_endpoint_cache_exact",
        "1 if the engine itself tells what it has cached, 0 if that is not heard at the moment.",
        labels=["endpoint"],
    )
    lost = CounterMetricFamily(
        "tramontane_kv_event_batches_lost", "Batches of cache events that could not be had.", labels=["endpoint"]
    )
    for endpoint_id, follower in followers:
        exact.add_metric([endpoint_id], float(follower.is_exact))
        lost.add_metric([endpoint_id], follower.lost_total)
    yield from (exact, lost)
