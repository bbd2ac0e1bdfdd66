"""How Prometheus finds each replica's vLLM."""

import pytest

from tests.helm.relabelling import ON, relabelled
from tests.helm.render import one, render
from tests.helm.router_pod import made

GROUP = "__meta_kubernetes_pod_label_ray_io_group"


@pytest.mark.parametrize(("address", "asked"), [("10.0.0.1:8080", "10.0.0.1:30000"), ("[::1]:8080", "[::1]:30000")])
def test_vllm_is_asked_at_the_port_of_its_pods_one_replica(address: str, asked: str) -> None:
    spec = one(made(ON), "PodMonitor", "tramontane-engines")["spec"]

    assert "worker" == spec["selector"]["matchLabels"]["ray.io/node-type"]
    (endpoint,) = spec["podMetricsEndpoints"]
    assert "metrics" == endpoint["port"]  # which KubeRay declares in every pod
    labels = {"endpoint": "metrics", GROUP: "pocket"}
    assert {"__address__": asked, GROUP: "pocket"} == relabelled(address, labels, endpoint["relabelings"])
    assert relabelled(address, {GROUP: "another"}, endpoint["relabelings"]) is None


def test_each_engine_is_asked_below_its_own_prefix() -> None:
    pocket = {"deployment": {"model": "pocket", "preset": "cpu"}}
    bare = {"deployment": {**pocket["deployment"], "model_id": "a/b", "route_prefix": "/"}}
    spec = one(render(ON, {"engines": {"pocket": pocket, "bare": bare}}), "PodMonitor", "tramontane-engines")["spec"]
    assert ["/metrics", "/pocket/metrics"] == [it["path"] for it in spec["podMetricsEndpoints"]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of ray's own models
def test_ray_gives_a_pods_first_replica_the_first_port() -> None:
    ports = pytest.importorskip("ray.serve._private.node_port_manager")
    manager = ports.NodePortManager("a node")
    given = [manager.allocate_port(replica, ports.RequestProtocol.HTTP) for replica in ("one", "two")]
    assert [30000, 30001] == given


def test_without_engines_there_is_nothing_of_ray_to_scrape() -> None:
    pool = {"name": "p", "upstream_model": "m", "discovery": {"kind": "static", "endpoints": ["http://10.0.0.1"]}}
    objects = render(ON, {"router": {"models": [{"id": "a/m", "context_length": 1, "pools": [pool]}]}})
    assert "PodMonitor" not in [it["kind"] for it in objects]
