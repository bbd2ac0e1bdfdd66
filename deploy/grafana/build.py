"""Writes Grafana's dashboards from the panels in deploy/grafana/panels: `python -m deploy.grafana.build`.

Dashboards are 90 % layout and repetition; as JSON nobody can review them. So panels are values, and ids, places and
options are computed here. What is written is committed, since the chart and the compose file take the JSON as it is; a
test says when it is not current. Data sources are chosen by a variable: no file knows the uid of anybody's Prometheus.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from deploy.grafana.model import Dashboard, Kind, Panel, Query, Row, Variable
from deploy.grafana.panels import DASHBOARDS

FOLDER = Path(__file__).parent / "dashboards"
SCHEMA_VERSION = 39  # Grafana 10.4 and later read it; newer ones convert it
COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
ALL = {"selected": True, "text": ["All"], "value": ["$__all"]}

# How an answer ended has the same colour on every page.
COLORS = {
    "ok": "green", "completed": "green", "fetched": "green", "taken": "green",
    "cancelled": "#8e8e8e", "rejected": "yellow", "rate_limited": "orange", "overloaded": "dark-orange",
    "unavailable": "red", "timeout": "dark-red", "broken": "purple", "internal_error": "#000000",
    "failed": "red", "refused": "red",
}  # fmt: skip

Json = dict[str, object]


def render(dashboard: Dashboard) -> str:
    """The text of its file."""
    page: Json = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["tramontane"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,  # one crosshair for all panels
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": [_links()],
        "templating": {"list": [_source(), *map(_variable, dashboard.variables)]},
        "annotations": {"list": []},
        "panels": list(_placed(dashboard.rows)),
    }
    return json.dumps(page, indent=1, ensure_ascii=False) + "\n"


def _placed(rows: tuple[Row, ...]) -> Iterator[Json]:
    """Rows from top to bottom, panels from left to right; what does not fit begins a new line."""
    number, top = 0, 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
        }
        top += 1
        left, tallest = 0, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                left, top, tallest = 0, top + tallest, 0
            number += 1
            yield {
                "id": number,
                "gridPos": {"x": left, "y": top, "w": panel.width, "h": panel.height},
                **_panel(panel),
            }
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def _panel(panel: Panel) -> Json:
    return {
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "targets": [_target(panel, query, ref) for query, ref in zip(panel.queries, "ABCDEFGH", strict=False)],
        "fieldConfig": {"defaults": _field(panel), "overrides": _overrides(panel)},
        "options": _options(panel),
    }


def _target(panel: Panel, query: Query, ref: str) -> Json:
    target: Json = {"refId": ref, "datasource": SOURCE, "expr": query.expr, "legendFormat": query.legend or "__auto"}
    if panel.kind is Kind.NUMBER:
        target |= {"instant": True, "range": False}
    if panel.kind is Kind.HEAT:
        target["format"] = "heatmap"
    return target


def _field(panel: Panel) -> Json:
    steps: list[Json] = [{"color": panel.base, "value": None}]
    steps += [{"color": step.color, "value": step.value} for step in panel.steps]
    field: Json = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "thresholds" if panel.kind in (Kind.NUMBER, Kind.STATES) else "palette-classic"},
    }
    if panel.least is not None and panel.kind is Kind.LINES:
        field["min"] = panel.least
    if panel.most is not None:
        field["max"] = panel.most
    if panel.decimals is not None:
        field["decimals"] = panel.decimals
    if panel.kind is Kind.LINES:
        field["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 40 if panel.stacked else 8,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
        }
    if panel.kind is Kind.STATES:
        field["custom"] = {"fillOpacity": 80, "lineWidth": 0}
    return field


def _overrides(panel: Panel) -> list[Json]:
    if panel.kind is not Kind.LINES or not any(
        query.legend in ("{{status}}", "{{verdict}}", "{{result}}", "{{outcome}}") for query in panel.queries
    ):
        return []
    return [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
        }
        for name, color in COLORS.items()
    ]


def _options(panel: Panel) -> Json:
    kind = panel.kind
    if kind is Kind.NUMBER:
        calculation = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": calculation, "colorMode": "background", "graphMode": "none", "textMode": "value"}
    if kind is Kind.STATES:
        return {"showValue": "never", "mergeValues": True, "legend": {"showLegend": False}}
    if kind is Kind.HEAT:
        return {
            "calculate": False,
            "color": {"scheme": "Oranges", "mode": "scheme"},
            "cellGap": 0,
            "yAxis": {"unit": panel.unit},
        }
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _source() -> Json:
    return {"name": "DS_PROMETHEUS", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}


def _variable(variable: Variable) -> Json:
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": variable.query, "refId": variable.name},
        "definition": variable.query,
        "refresh": 2,  # when the time range changes: replicas come and go
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": ALL,
        "sort": 1,
        "hide": 0,
    }


def _links() -> Json:
    """To the other pages, with the same time and choices."""
    return {
        "title": "Tramontane",
        "type": "dashboards",
        "tags": ["tramontane"],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
    }


def main() -> None:
    """Write every file anew."""
    FOLDER.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.uid}.json").write_text(render(dashboard))


if __name__ == "__main__":
    main()
