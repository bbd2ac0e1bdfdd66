"""values.schema.json takes every file that router and engine take, and the same keys mean the same to all of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.chart import schema, values_file
from deploy.chart.models_schema import convert
from router.config import Config
from serving.config import Deployment
from serving.profiles import PROFILES
from tests.helm.render import ROOT

MADE = schema.build(values_file.read())
EXAMPLES = sorted((ROOT / "deploy").rglob("router*.yaml"))
PRESETS = [(name, preset) for name, profile in PROFILES.items() for preset in profile.presets]


def faults(definition: str, value: object) -> list[str]:
    """What the schema of this name has against a value."""
    checks = jsonschema.Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": MADE["definitions"]})
    return [f"{error.json_path}: {error.message}" for error in checks.iter_errors(value)]


def test_the_schema_itself_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(MADE)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_routers_file_is_taken_as_it_is_and_with_every_default_written_out(file: Path) -> None:
    given = yaml.safe_load(file.read_text())

    assert [] == faults("router~", given)
    assert [] == faults("router~", json.loads(Config.model_validate(given).model_dump_json(by_alias=True)))
    assert [] == [fault for model in given["models"] for fault in faults("model", model)]


@pytest.mark.parametrize(("model", "preset"), PRESETS)
def test_a_deployment_is_taken_with_every_default_written_out(model: str, preset: str) -> None:
    given: dict[str, Any] = {"model": model, "preset": preset}

    assert [] == faults("deployment", given)
    every = json.loads(Deployment.model_validate(given).model_dump_json())
    assert [] == faults("deployment", {**every, "replicas": 1})
    assert [] == faults("deployment", {**given, "autoscaling": {"max_replicas": 2}})


def test_what_is_put_over_the_charts_own_may_be_a_part() -> None:
    for part in ({"listen": {"metrics": {"tls": True}}}, {"database": {"limits": {"connections": 5}}}, {}):
        assert [] == faults("router~", part)
    assert ["$.providers[0]: 'url' is a required property"] == faults("router~", {"providers": [{"slug": "p"}]})


@pytest.mark.parametrize(
    ("discovery", "expected"),
    [
        ({"kind": "ray", "dashboard": "http://h:1", "application": "a"}, []),
        ({"kind": "ray", "dashboard": "http://h:1"}, ["'application' is a required property"]),
        (
            {"kind": "static", "endpoints": ["http://e:1"], "port": 5},
            ["Additional properties are not allowed ('port' was unexpected)"],
        ),
        ({"endpoints": ["http://e:1"]}, ["'kind' is a required property"]),
    ],
)
def test_a_choice_by_a_key_is_held_against_the_chosen_one_alone(
    discovery: Mapping[str, Any], expected: list[str]
) -> None:
    pool = MADE["definitions"]["router.PoolSection"]["properties"]["discovery"]["anyOf"][0]
    checks = jsonschema.Draft7Validator({**pool, "definitions": MADE["definitions"]})

    assert expected == [error.message for error in checks.iter_errors(discovery)]


def test_definitions_of_two_files_do_not_collide() -> None:
    router, serving = (
        set(convert(model, name).definitions) for model, name in ((Config, "router"), (Deployment, "serving"))
    )

    assert router
    assert serving
    assert all(name.startswith("router.") for name in router)
    assert all(name.startswith("serving.") for name in serving)
