"""The dashboards of deploy/grafana as Grafana's sidecar finds them."""

import json
from typing import Any

from deploy.chart.copies import COPIES
from tests.helm.router_pod import made

DASHBOARDS = COPIES[1].source
LARGEST = 1024 * 1024  # bytes of a ConfigMap


def dashboards(**monitoring: Any) -> list[dict[str, Any]]:
    objects = made({"monitoring": {"enabled": True, **monitoring}})
    return [it for it in objects if it["kind"] == "ConfigMap" and "-dashboard-" in it["metadata"]["name"]]


def test_each_file_is_in_a_map_of_its_own() -> None:
    found = dashboards()
    assert {file.name: json.loads(file.read_text()) for file in DASHBOARDS.glob("*.json")} == {
        name: json.loads(text) for it in found for name, text in it["data"].items()
    }
    assert [1] * len(found) == [len(it["data"]) for it in found]


def test_none_is_too_large_with_room_to_grow() -> None:
    assert LARGEST / 4 > max(len(json.dumps(it)) for it in dashboards())


def test_they_have_the_labels_by_which_the_sidecar_finds_them() -> None:
    assert {"1"} == {it["metadata"]["labels"]["grafana_dashboard"] for it in dashboards()}
    given = dashboards(dashboardLabels={"grafana_dashboard": None, "our-grafana": "yes"})
    assert {"yes"} == {it["metadata"]["labels"]["our-grafana"] for it in given}


def test_they_can_be_left_out() -> None:
    assert [] == dashboards(dashboards=False)
