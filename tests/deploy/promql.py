"""What rules and dashboards say: their expressions, and the names and labels that stand in these."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yaml"))
RULE_TESTS = sorted((ROOT / "deploy/prometheus/tests").glob("*.yaml"))
RUNBOOK = ROOT / "docs/runbook.md"
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
KUBERNETES = "kubernetes.yaml"  # names what kube-state-metrics and KubeRay export, which no stack of ours does

PROMETHEUS_OWN = frozenset({"up", "ALERTS"})  # made by Prometheus itself
WORDS = frozenset("and or unless by on without ignoring group_left group_right offset bool inf nan".split())


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a file."""

    file: str
    name: str  # of the alert, or of the series that is recorded
    is_alert: bool
    expr: str
    body: dict[str, Any]


def rules() -> list[Rule]:
    """All, in the order of files."""
    return [
        Rule(path.name, rule.get("alert") or rule["record"], "alert" in rule, rule["expr"], rule)
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def panels(path: Path) -> list[dict[str, Any]]:
    """Of a dashboard's file, rows included."""
    found: list[dict[str, Any]] = json.loads(path.read_text())["panels"]
    return found


def dashboard_expressions(path: Path) -> list[str]:
    """Of panels and of the choices at the top, as Prometheus would get them."""
    page = json.loads(path.read_text())
    queries = [target["expr"] for panel in page["panels"] for target in panel.get("targets", [])]
    choices = [variable["definition"] for variable in page["templating"]["list"] if variable["type"] == "query"]
    queries += [re.sub(r"^label_values\((.*), \w+\)$", r"\1", choice) for choice in choices]
    return [query.replace("$__rate_interval", "5m") for query in queries]


def runbook_expressions() -> list[str]:
    """What the runbook tells its reader to ask Prometheus: `q '…'` in its commands."""
    return re.findall(r"^q '(.*)'$", RUNBOOK.read_text(), re.MULTILINE)


def named() -> set[str]:
    """All series in rules, dashboards and the runbook, but for Prometheus' own and a cluster's exporters'."""
    exprs = [rule.expr for rule in rules() if rule.file != KUBERNETES] + runbook_expressions()
    exprs += [expr for path in DASHBOARDS for expr in dashboard_expressions(path)]
    return {name for expr in exprs for name in names(expr)} - PROMETHEUS_OWN


def names(expr: str) -> set[str]:
    """Of the series in an expression."""
    bare = re.sub(r'"[^"]*"', "", expr)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\boffset\s+\w+", " ", bare)
    found = re.findall(r"(?<![\w.:])[a-zA-Z_][\w:]*(?!\w)(?!\s*\()", bare)
    return {name for name in found if name.lower() not in WORDS}


def selectors(expr: str) -> list[tuple[str, set[str]]]:
    """Each series' name, with the names of the labels that are asked for or, in a test, given."""
    found = re.findall(r"([a-zA-Z_][\w:]*)\{([^}]*)\}", expr)
    return [
        (name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', inner)))) for name, inner in found
    ]


def exported(page: str) -> set[str]:
    """The names of all samples that a `/metrics` page announces, whether or not there are any yet."""
    suffixes = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
    kinds = re.findall(r"^# TYPE (\S+) (\w+)$", page, re.MULTILINE)
    return {name + suffix for name, kind in kinds for suffix in suffixes.get(kind, ("",))}
