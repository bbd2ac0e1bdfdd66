"""Who there is around the chart's pods, and between whom a way must be open: what tests of policies share."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.helm.policies import Outside, Peer, Pod, Policies, policies
from tests.helm.render import render

Way = tuple[Peer, Peer, int]  # from whom, to whom, at which port


def _ours(component: str, node_type: str | None = None) -> Pod:
    labels = {
        "app.kubernetes.io/name": "tramontane",
        "app.kubernetes.io/instance": "tramontane",
        "app.kubernetes.io/component": component,
    }
    return Pod("models", labels | ({"ray.io/node-type": node_type} if node_type else {}))


ROUTER, POSTGRESQL, MIGRATE, DOWNLOAD, TEST = map(_ours, ("router", "postgresql", "migrate", "weights", "test"))
HEAD, WORKER, CLEANUP = (_ours("engines", kind) for kind in ("head", "worker", "redis-cleanup"))  # KubeRay's labels
NEIGHBOUR = Pod("models", {"app.kubernetes.io/name": "notebook"})
STRANGER = Pod("somebody", {"app.kubernetes.io/name": "tramontane", "app.kubernetes.io/component": "router"})
PROMETHEUS = Pod("monitoring", {"app.kubernetes.io/name": "prometheus"})
OPERATOR = Pod("kuberay-system", {"app.kubernetes.io/name": "kuberay-operator"})
DNS = Pod("kube-system", {"k8s-app": "kube-dns"})
KUBE_SYSTEM = Pod("kube-system", {"k8s-app": "metrics-server"})
WORLD, WORLD_6 = Outside("93.184.215.14"), Outside("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
METADATA, WIRE_SERVER = Outside("169.254.169.254"), Outside("168.63.129.16")
API_SERVER = Outside("10.0.0.1")
NODE, SHARED = Outside("192.168.7.7"), Outside("100.64.3.3")

PLAIN: Mapping[str, Any] = {
    "engines": {"mistral": {"deployment": {"model": "mistral-small-3.1-24b", "preset": "h100"}}},
    "database": {"embedded": {"enabled": True}},
}
FILLED: Mapping[str, Any] = {
    **PLAIN,
    "weights": {
        "enabled": True,
        "download": {"models": [{"repository": "mistralai/Mistral-Small-3.1-24B-Instruct-2503", "folder": "m"}]},
    },
}


def of(*values: Any, **sets: Any) -> Policies:
    """The policies for values, and for single ones: `ray__version` for ray.version."""
    return policies(render(*values, set={key.replace("__", "."): value for key, value in sets.items()}))


def each_way(wanted: Sequence[Way], unwanted: Sequence[Way]) -> pytest.MarkDecorator:
    """A test for each: `way`, and whether it `is_open`."""
    rows = [(way, True) for way in wanted] + [(way, False) for way in unwanted]
    return pytest.mark.parametrize(("way", "is_open"), rows, ids=str)


def ways(found: Policies, *rows: Way) -> list[bool]:
    """Which of these ways are open."""
    return [found.allow(*row) for row in rows]


def asks_for_names(found: Policies, pod: Pod) -> bool:
    """Whether it may ask the cluster's DNS for names, wherever that is, and nobody else."""
    named = (DNS, Outside("169.254.20.10"))
    others = (KUBE_SYSTEM, WORLD, STRANGER)
    return all(found.allow(pod, each, 53, way) for each in named for way in ("UDP", "TCP")) and not any(
        found.allow(pod, each, 53, "UDP") for each in others
    )
