"""How the number of routers follows the load, by Kubernetes itself."""

from typing import Any

import pytest

from tests.helm.render import one
from tests.helm.router_pod import made


def scaled(**router: Any) -> dict[str, Any]:
    objects = made({"router": {"autoscaling": {"kind": "hpa"}, **router}})
    assert "replicas" not in one(objects, "Deployment")["spec"]  # whoever scales decides alone
    return one(objects, "HorizontalPodAutoscaler")["spec"]  # type: ignore[no-any-return]


def test_without_it_the_number_is_said_and_nobody_changes_it() -> None:
    objects = made()
    assert 2 == one(objects, "Deployment")["spec"]["replicas"]
    assert set() == {it["kind"] for it in objects} & {"HorizontalPodAutoscaler", "ScaledObject"}


def test_the_hpa_goes_by_requests_and_by_cpu() -> None:
    spec = scaled()

    assert {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tramontane-router"} == spec["scaleTargetRef"]
    assert (2, 8) == (spec["minReplicas"], spec["maxReplicas"])
    requests, cpu = spec["metrics"]
    assert {
        "metric": {"name": "tramontane_requests_in_flight"},
        "target": {"type": "AverageValue", "averageValue": "200"},
    } == requests["pods"]
    assert {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 65}} == cpu["resource"]


@pytest.mark.parametrize(
    ("drain", "window", "period"),
    [
        ({}, 310, 310),
        ({"leaveSeconds": 2, "drainSeconds": 20}, 300, 60),
        ({"leaveSeconds": 10, "drainSeconds": 7200}, 3600, 1800),  # the most that the API takes
    ],
)
def test_routers_go_one_by_one_and_not_before_the_last_has_drained(
    drain: dict[str, int], window: int, period: int
) -> None:
    behavior = scaled(drain=drain)["behavior"]
    assert {
        "stabilizationWindowSeconds": window,
        "selectPolicy": "Min",
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": period}],
    } == behavior["scaleDown"]
    assert 0 == behavior["scaleUp"]["stabilizationWindowSeconds"]
