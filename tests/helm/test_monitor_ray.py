"""How Prometheus finds Ray."""

from tests.helm.relabelling import ON, relabelled
from tests.helm.render import one
from tests.helm.router_pod import POCKET, made


def test_ray_is_asked_everywhere_and_the_head_about_dashboard_and_autoscaler() -> None:
    scaling = {"engines": {"pocket": {"deployment": {**POCKET["deployment"], "autoscaling": {"max_replicas": 2}}}}}
    endpoints = one(made(ON, scaling), "PodMonitor", "tramontane-ray")["spec"]["podMetricsEndpoints"]

    def asked(node_type: str) -> list[str]:
        labels = {"__meta_kubernetes_pod_label_ray_io_node_type": node_type}
        targets = [relabelled("10.0.0.1:8080", labels, it.get("relabelings", [])) for it in endpoints]
        return [it["__address__"] for it in targets if it]

    assert ["10.0.0.1:8080"] == asked("worker")
    assert ["10.0.0.1:8080", "10.0.0.1:44227", "10.0.0.1:44217"] == asked("head")


def test_an_autoscaler_that_does_not_run_is_not_asked() -> None:
    assert 2 == len(one(made(ON), "PodMonitor", "tramontane-ray")["spec"]["podMetricsEndpoints"])
