"""How the number of routers follows the load, by KEDA."""

from typing import Any

from tests.helm.render import one
from tests.helm.router_pod import made


def scaled(**router: Any) -> dict[str, Any]:
    objects = made({"router": {"autoscaling": {"kind": "keda"}, **router}})
    assert "replicas" not in one(objects, "Deployment")["spec"]  # whoever scales decides alone
    return one(objects, "ScaledObject")["spec"]  # type: ignore[no-any-return]


def test_it_goes_by_requests_and_by_cpu() -> None:
    spec = scaled()

    assert {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tramontane-router"} == spec["scaleTargetRef"]
    assert (2, 8) == (spec["minReplicaCount"], spec["maxReplicaCount"])
    requests, cpu = spec["triggers"]
    assert ("prometheus", "AverageValue") == (requests["type"], requests["metricType"])
    assert (
        'sum(tramontane_requests_in_flight{namespace="models", pod=~"tramontane-router-.+"})'
        == requests["metadata"]["query"]
    )
    assert "200" == requests["metadata"]["threshold"]
    assert ("cpu", "Utilization", {"value": "65"}) == (cpu["type"], cpu["metricType"], cpu["metadata"])


def test_without_prometheus_it_takes_no_router_away() -> None:
    spec = scaled()
    assert {"failureThreshold": 4, "replicas": 2, "behavior": "currentReplicasIfHigher"} == spec["fallback"]
    assert "false" == spec["triggers"][0]["metadata"]["ignoreNullValues"]


def test_routers_come_and_go_as_with_an_hpa() -> None:
    hpa = one(made({"router": {"autoscaling": {"kind": "hpa"}}}), "HorizontalPodAutoscaler")
    assert hpa["spec"]["behavior"] == scaled()["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
