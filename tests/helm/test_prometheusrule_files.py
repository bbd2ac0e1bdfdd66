"""The alerts of deploy/prometheus as the Prometheus operator takes them."""

from typing import Any

import yaml

from deploy.chart.copies import COPIES
from tests.helm.router_pod import made

RULES = COPIES[0].source


def rules(**monitoring: Any) -> dict[str, dict[str, Any]]:
    objects = made({"monitoring": {"enabled": True, **monitoring}})
    return {it["metadata"]["name"]: it for it in objects if it["kind"] == "PrometheusRule"}


def test_each_file_is_a_rule_word_for_word() -> None:
    assert {f"tramontane-rules-{file.stem}": yaml.safe_load(file.read_text()) for file in RULES.glob("*.yaml")} == {
        name: it["spec"] for name, it in rules().items()
    }


def test_they_have_the_labels_by_which_prometheus_finds_them() -> None:
    assert {"prometheus"} == {
        it["metadata"]["labels"]["release"] for it in rules(labels={"release": "prometheus"}).values()
    }


def test_they_can_be_left_out() -> None:
    assert {} == rules(rules=False)
