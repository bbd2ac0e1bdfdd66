"""How many replicas a drain of nodes may take away at a time."""

from typing import Any

import pytest

from tests.helm.render import render
from tests.helm.router_pod import POCKET


def budgets(**engines: Any) -> dict[str, Any]:
    objects = render({"engines": engines})
    return {it["metadata"]["name"]: it["spec"] for it in objects if it["kind"] == "PodDisruptionBudget"}


def engine(hosts: int = 1, **deployment: Any) -> dict[str, Any]:
    given = {"model": "mistral-small-3.1-24b", "preset": "h100", **deployment}
    return {"deployment": given, "workers": {"hostsPerReplica": hosts}}


@pytest.mark.parametrize(
    ("given", "stay"),
    [
        (engine(replicas=3), 2),
        (engine(autoscaling={"min_replicas": 2, "max_replicas": 8}), 1),
        (engine(hosts=2, replicas=2, pipeline_parallel_size=2), 2),  # one replica's two pods
    ],
)
def test_all_replicas_of_an_engine_but_one_stay(given: dict[str, Any], stay: int) -> None:
    spec = budgets(mistral=given)["tramontane-engines-mistral"]
    assert (stay, "AlwaysAllow") == (spec["minAvailable"], spec["unhealthyPodEvictionPolicy"])
    assert "mistral" == spec["selector"]["matchLabels"]["ray.io/group"]


@pytest.mark.parametrize(
    "given",
    [
        POCKET,
        engine(),
        engine(autoscaling={"max_replicas": 8}),
        engine(autoscaling={"min_replicas": 0, "max_replicas": 8}),
    ],
)
def test_an_engine_without_a_replica_to_spare_stops_no_drain(given: dict[str, Any]) -> None:
    assert ["tramontane-router"] == list(budgets(pocket=given))
