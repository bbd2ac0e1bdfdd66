"""docs/engines.md is compared with the code: every key with its default, every preset with its figures."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from serving.config import Autoscaling, Deployment, parse
from serving.engine import resolve
from serving.profiles import PROFILES

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"


def rows() -> dict[str, list[str]]:
    """Cells of the page's tables, by what stands in back-quotes in the first."""
    cells = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in cells}


def keys(model: type[BaseModel], path: str = "") -> dict[str, Any]:
    """Every key with its default; a section that is off by default is a key as well."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            found |= keys(type(field.default), f"{path}{name}.")
        else:
            found[path + name] = field.default
    return found


ALL = keys(Deployment) | keys(Autoscaling, "autoscaling.")
PRESETS = dict(PROFILES["mistral-small-3.1-24b"].presets)


def test_every_key_and_every_preset_is_documented_and_nothing_else() -> None:
    assert sorted([*ALL, *PRESETS]) == sorted(rows())


def test_every_default_is_documented_as_it_is() -> None:
    defaults = {key: default for key, default in ALL.items() if isinstance(default, int | float)}
    assert {key: str(default).lower().removesuffix(".0") for key, default in defaults.items()} == {
        key: rows()[key][0] for key in defaults
    }


def test_every_key_has_a_reason() -> None:
    assert [] == [key for key in ALL if len(rows()[key][1]) < 20]


def test_presets_are_documented_with_their_figures() -> None:
    figures = {
        name: [
            preset.accelerator_type or "any",
            str(preset.tensor_parallel_size),
            str(preset.card.memory_gib if preset.card else ""),
            str(preset.max_model_len),
        ]
        for name, preset in PRESETS.items()
    }
    assert figures == {name: rows()[name] for name in PRESETS}


def test_the_deployment_that_is_shown_is_good() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    deployment = parse(yaml.safe_load(example), "the example")
    assert deployment.autoscaling is not None
    assert "fp8" == resolve(deployment).arguments["kv_cache_dtype"]
