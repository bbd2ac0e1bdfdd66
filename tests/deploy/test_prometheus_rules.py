"""Prometheus' rules: understood by promtool, tested each, true to what is documented, explained in the runbook."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.prometheus import program
from tests.deploy.promql import (
    DASHBOARDS,
    RULE_TESTS,
    RULES,
    RUNBOOK,
    dashboard_expressions,
    names,
    rules,
    runbook_expressions,
    selectors,
)
from tests.test_docs import documented

ALERTS = [rule for rule in rules() if rule.is_alert]
PARTS = ("Means", "Callers feel", "Look", "Mend", "Silence")
OF_TARGETS = {"job", "instance", "le"}  # labels that Prometheus or a histogram adds


def run(*command: str | Path) -> None:
    done = subprocess.run([program("promtool"), *command], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_promtool_finds_nothing_wrong(path: Path) -> None:
    run("check", "rules", path)


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_ought_to_and_are_silent_when_not(path: Path) -> None:
    run("test", "rules", path)


def cases() -> list[tuple[str, bool]]:
    """Alert, and whether it fires, of every case in every file."""
    return [
        (case["alertname"], bool(case["exp_alerts"]))
        for path in RULE_TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    wanted = {(alert.name, fires) for alert in ALERTS for fires in (True, False)}
    assert set(cases()) == wanted


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_says_what_who_and_where_to_read_on(alert: Any) -> None:
    body = alert.body
    assert body["for"]
    assert body["labels"]["severity"] in ("page", "ticket")
    assert {"summary", "description", "runbook_url"} == body["annotations"].keys()
    assert "{{ $" in body["annotations"]["description"] or "{{ with $" in body["annotations"]["description"]
    assert f"docs/runbook.md#{alert.name.lower()}" == body["annotations"]["runbook_url"]


def test_no_two_rules_have_one_name() -> None:
    assert sorted({rule.name for rule in rules()}) == sorted(rule.name for rule in rules())


def test_every_recorded_series_that_a_rule_uses_is_recorded() -> None:
    used = {name for rule in rules() for name in names(rule.expr) if name.startswith("tramontane:")}
    assert used <= {rule.name for rule in rules() if not rule.is_alert}


def test_the_promised_seconds_are_the_bucket_that_is_counted() -> None:
    (promised,) = (rule.expr for rule in rules() if rule.name == "tramontane:slo_ttft:threshold_seconds")
    counted = {bound for rule in rules() for bound in re.findall(r'le="([\d.]+)"', rule.expr)}
    assert {float(promised.removeprefix("vector(").removesuffix(")"))} == {float(bound) for bound in counted}


def test_no_rule_names_a_job() -> None:
    assert [] == [rule.name for rule in rules() if re.search(r"job\s*(=|!)", rule.expr)]


def test_every_metric_that_asks_for_an_alert_has_one_of_that_severity() -> None:
    asking = {
        name: "page" if "Page." in cells[-1] else "ticket"
        for name, cells in documented("metrics.md").items()
        if re.search(r"\b(Alert|Page|alert)\b", cells[-1])
    }
    assert len(asking) > 8
    for name, severity in asking.items():
        found = {alert.body["labels"]["severity"] for alert in ALERTS if name in names(alert.expr)}
        assert severity in found, f"{name} asks for a {severity}"


def labels() -> dict[str, set[str]]:
    """Of each router's metric, as docs/metrics.md has them, by the names of its samples."""
    found: dict[str, set[str]] = {}
    for name, cells in documented("metrics.md").items():
        kind, _, told = cells[0].partition(":")
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        found |= {name + suffix: {word.strip() for word in told.split(",") if word.strip()} for suffix in suffixes}
    return found


def test_rules_and_their_tests_use_the_labels_that_metrics_have() -> None:
    known = labels()
    asked = [pair for rule in rules() for pair in selectors(rule.expr)]
    asked += [pair for path in DASHBOARDS for expr in dashboard_expressions(path) for pair in selectors(expr)]
    wrong = {(name, *(used - known[name] - OF_TARGETS)) for name, used in asked if name in known}
    given = [
        pair
        for path in RULE_TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for series in test["input_series"]
        for pair in selectors(series["series"])
    ]
    wrong |= {(name, *(used ^ known[name]) - OF_TARGETS) for name, used in given if name in known}
    assert set() == {each for each in wrong if len(each) > 1}


def sections() -> dict[str, str]:
    """The runbook's sections about alerts, by their headings."""
    parts = re.split(r"^### (Tramontane\w+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_alert_has_its_section_in_the_runbook_and_every_section_its_alert() -> None:
    assert sorted(alert.name for alert in ALERTS) == sorted(sections())


@pytest.mark.parametrize("name", sections(), ids=str)
def test_every_section_says_what_to_do_at_three_in_the_morning(name: str) -> None:
    text = sections()[name]
    assert [] == [part for part in PARTS if f"**{part}" not in text]
    commands = re.search(r"```bash\n(.*?)```", text, re.DOTALL)
    assert commands is not None
    assert 3 == len([line for line in commands[1].splitlines() if line and not line.startswith(" ")])


def test_prometheus_understands_what_the_runbook_tells_to_ask(tmp_path: Path) -> None:
    exprs = runbook_expressions()
    assert len(exprs) > 50
    recorded = [{"record": f"asked:{number}", "expr": expr} for number, expr in enumerate(exprs)]
    file = tmp_path / "asked.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": recorded}]}))
    run("check", "rules", file)
    recorded_names = {rule.name for rule in rules() if not rule.is_alert}
    assert {name for expr in exprs for name in names(expr) if name.startswith("tramontane:")} <= recorded_names
