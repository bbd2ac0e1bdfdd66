"""Grafana's dashboards: current, complete, laid out without overlaps, bound to no data source of anybody's."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.build import FOLDER, render
from deploy.grafana.panels import DASHBOARDS as BUILT
from tests.deploy.prometheus import program
from tests.deploy.promql import DASHBOARDS, dashboard_expressions, names, panels, rules

every_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def page(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def test_the_files_are_what_the_panels_say() -> None:
    written = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert written == {f"{each.uid}.json": render(each) for each in BUILT}, "run: python -m deploy.grafana.build"


@every_dashboard
def test_every_panel_has_a_title_a_unit_and_a_description(path: Path) -> None:
    for panel in panels(path):
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["targets"]
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert len(panel["description"]) > 15, panel["title"]
            assert panel["description"].endswith("."), panel["title"]


@every_dashboard
def test_ids_are_unique_and_titles_within_a_page_too(path: Path) -> None:
    ids = [panel["id"] for panel in panels(path)]
    titles = [panel["title"] for panel in panels(path) if panel["type"] != "row"]
    assert sorted(set(ids)) == sorted(ids)
    assert sorted(set(titles)) == sorted(titles)


@every_dashboard
def test_no_panel_lies_on_another_or_beside_the_page(path: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(path):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]


@every_dashboard
def test_no_row_is_left_half_empty_at_its_top(path: Path) -> None:
    rows = {panel["gridPos"]["y"] for panel in panels(path) if panel["type"] == "row"}
    for top in rows:
        width = sum(panel["gridPos"]["w"] for panel in panels(path) if panel["gridPos"]["y"] == top + 1)
        assert 24 == width, f"the row at {top} begins {width} of 24 columns wide"


@every_dashboard
def test_the_data_source_is_chosen_by_a_variable(path: Path) -> None:
    found = page(path)
    sources = [panel["datasource"] for panel in found["panels"] if panel["type"] != "row"]
    sources += [target["datasource"] for panel in found["panels"] for target in panel.get("targets", [])]
    sources += [each["datasource"] for each in found["templating"]["list"] if each["type"] == "query"]
    assert all(source == {"type": "prometheus", "uid": "${DS_PROMETHEUS}"} for source in sources)
    assert {"DS_PROMETHEUS", "job", "instance"} <= {each["name"] for each in found["templating"]["list"]}


@every_dashboard
def test_every_variable_that_is_used_is_there(path: Path) -> None:
    variables = {each["name"] for each in page(path)["templating"]["list"]}
    used = {word for expr in dashboard_expressions(path) for word in expr.replace('"', " ").split() if word[0] == "$"}
    assert {word[1:].rstrip("),") for word in used} <= variables


@every_dashboard
def test_every_recorded_series_that_is_shown_is_recorded(path: Path) -> None:
    shown = {name for expr in dashboard_expressions(path) for name in names(expr) if name.startswith("tramontane:")}
    assert shown <= {rule.name for rule in rules()}


@every_dashboard
def test_prometheus_understands_every_expression(path: Path, tmp_path: Path) -> None:
    exprs = dashboard_expressions(path)
    assert exprs
    recorded = [{"record": f"shown:{number}", "expr": expr} for number, expr in enumerate(exprs)]
    file = tmp_path / "shown.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": recorded}]}))
    done = subprocess.run([program("promtool"), "check", "rules", file], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_page_is_linked_from_every_other() -> None:
    assert len(DASHBOARDS) == len({page(path)["uid"] for path in DASHBOARDS}) == len(BUILT)
    assert all(page(path)["links"][0]["tags"] == page(path)["tags"] == ["tramontane"] for path in DASHBOARDS)
