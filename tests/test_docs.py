"""The documentation is compared with the code: settings, metrics, routes, fields and errors; its examples are read."""

import dataclasses
import re
import typing
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from router import config
from router.__main__ import SMALLEST
from router.api.openapi.document import operations
from router.config import Config
from router.fleet import Fleet
from router.metrics import Metrics
from router.protocol.errors import STATUS_OF
from router.protocol.fields import CHAT, COMPLETIONS, EMBEDDINGS, RERANK
from router.sections import Secret
from tests.router.rules import policies

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    path.relative_to(ROOT) for pages in ("*.md", "docs/**/*.md", "serving/**/*.md") for path in ROOT.glob(pages)
)


def settings(section: Any, path: str = "") -> dict[str, Any]:
    """Every leaf of the configuration by its dotted path (`[]` for list elements), with its default."""
    if dataclasses.is_dataclass(section):
        hints = typing.get_type_hints(section)
        fields = {f.name: (hints[f.name], f.default) for f in dataclasses.fields(section)}
    else:
        fields = {name: (f.annotation, f.default) for name, f in section.model_fields.items()}
    found: dict[str, Any] = {}
    for name, (kind, default) in fields.items():
        where = f"{path}.{name}" if path else name
        parts = sections_in(kind)
        if parts and not is_one_row(where, parts, default):
            for part in parts:
                found |= settings(part, where + ("[]" if is_list(kind) else ""))
        else:
            found[where] = default
    return found


def is_one_row(where: str, parts: list[Any], default: Any) -> bool:
    """Secrets, which are explained once; and what a pool may have otherwise than all others."""
    if parts == [Secret]:
        return where != "keys[].secret"
    return default is None and where.startswith("models[].pools[]") and not where.endswith(".discovery")


def is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(is_list(part) for part in get_args(kind))


def sections_in(kind: Any) -> list[Any]:
    if isinstance(kind, type) and (issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind)):
        return [kind]
    return [section for part in get_args(kind) for section in sections_in(part)]


def documented(page: str) -> dict[str, list[str]]:
    """Rows of a page's tables, by what stands in back-quotes in the first cell."""
    lines = (DOCS / page).read_text().splitlines()
    rows = [line.strip().strip("|").split("|") for line in lines if line.startswith("|")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows if "`" in row[0]}


def shown(page: str, language: str) -> str:
    """The page's first example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def empty_fleet() -> Fleet:
    return Fleet(
        pools=[],
        endpoints=lambda pool: [],
        engine_metrics=lambda endpoint: None,
        rules=policies().rules,
        clock=lambda: 0.0,
    )


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert sorted(settings(Config)) == sorted(documented("settings.md"))


def test_every_numeric_default_is_documented_as_it_is() -> None:
    rows = documented("settings.md")
    defaults = {path: default for path, default in settings(Config).items() if type(default) in (int, float)}
    told = {path: float(re.sub(r"[ _]", "", rows[path][0])) for path in defaults}
    assert {path: float(default) for path, default in defaults.items()} == told


def test_every_setting_has_a_reason() -> None:
    assert [path for path, cells in documented("settings.md").items() if len(cells) < 2 or len(cells[-1]) < 10] == []


def test_every_metric_is_documented() -> None:
    exposed = set(re.findall(r"^# TYPE (tramontane_\w+) ", Metrics().render().decode(), re.MULTILINE))
    exposed |= {family.name for family in empty_fleet().gauges()}
    counters_and_others = {name for name in exposed if not name.endswith("_created")}
    assert sorted(counters_and_others - documented("metrics.md").keys()) == []


def test_every_route_is_documented_and_nothing_else() -> None:
    assert sorted(operations()) == sorted(row for row in documented("api.md") if " /" in row)


def test_every_request_field_is_documented() -> None:
    told = set(re.findall(r"`(\w+)`", (DOCS / "api.md").read_text()))
    assert set() == (CHAT.keys() | COMPLETIONS.keys() | EMBEDDINGS.keys() | RERANK.keys()) - told


def test_every_documented_error_has_its_status() -> None:
    rows = {name: cells for name, cells in documented("api.md").items() if name in STATUS_OF}
    assert {name: str(STATUS_OF[name]) for name in rows} == {name: cells[0] for name, cells in rows.items()}


@pytest.mark.parametrize("text", [SMALLEST, shown("settings.md", "yaml")], ids=["help", "settings.md"])
def test_the_smallest_configurations_that_are_shown_are_good(text: str) -> None:
    config.parse(yaml.safe_load(text), source="the example")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text())
    files = [target for target in targets if not target.startswith("http")]
    assert [] == [target for target in files if not (ROOT / page.parent / target).exists()]
