"""Every text that a compiled grammar allows is an answer: it parses, and what it says fits the schema."""

import json
import random
from contextlib import suppress
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.markup.compile import compile_markup
from tests.router.protocol.markup.reading import read_xml
from tests.router.protocol.markup.sampler import sampler
from tests.router.protocol.markup.schemas import schemas

LIMITS = Limits(markup_depth=5)
PATH = "response_format"
EACH = 4  # texts of one grammar
EVERYTHING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "on": {"type": ["boolean", "null"]},
        "born": {"type": "string", "format": "date"},
        "seen at": {"type": "string", "format": "date-time"},
        "age": {"type": "integer", "minimum": -3, "maximum": 120},
        "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        "tags": {"type": "array", "items": {"enum": ["a", "b<", "]]>", " c\t"]}, "maxItems": 3},
        "grid": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {"type": "array", "items": {"type": "integer"}},
        },
        "children": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2},
        "either": {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"kind": {"const": "x"}, "by": {"type": "null"}},
                    "required": ["kind"],
                },
                {
                    "type": "object",
                    "properties": {"kind": {"const": "y"}, "at": {"type": "number"}},
                    "required": ["kind"],
                },
                {"enum": [1, 2.5, 1e30, "1", None, True]},
            ]
        },
    },
    "required": ["name", "age"],
}


def grammar(kind: str, schema: Any, **more: Any) -> str:
    return compile_markup({"type": kind, "schema": schema, **more}, PATH, LIMITS)


def is_valid(value: Any, schema: Any) -> bool:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return bool(jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid(value))


def check_xml(text: str, schema: Any) -> None:
    value = read_xml(text, schema)
    assert is_valid(value, schema), text


def check_yaml(text: str, schema: Any) -> None:
    value = yaml.safe_load(text)
    assert is_valid(value, schema), text
    assert json.dumps(value) == json.dumps(read_yaml_1_2(text)), text


def read_yaml_1_2(text: str) -> Any:
    ruamel = pytest.importorskip("ruamel.yaml")
    return ruamel.YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("indent", [False, True])
def test_hundreds_of_xml_answers_by_a_schema_with_everything_are_valid(indent: bool) -> None:
    schema = json.loads(json.dumps(EVERYTHING).replace("seen at", "seen_at"))
    sample, rng = sampler(grammar("xml", schema, indent=indent)), random.Random(1)
    for _ in range(300):
        check_xml(sample(rng), schema)


def test_hundreds_of_yaml_answers_by_a_schema_with_everything_are_valid() -> None:
    sample, rng = sampler(grammar("yaml", EVERYTHING)), random.Random(1)
    for _ in range(300):
        check_yaml(sample(rng), EVERYTHING)


@given(schemas(), st.randoms(use_true_random=False), st.sampled_from(["xml", "yaml"]), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_grammar_of_any_schema_allows_is_valid(
    schema: Any, rng: random.Random, kind: str, indent: bool
) -> None:
    with suppress(ApiError):  # none for what refers to itself and says nothing else
        written = grammar(kind, schema, **({"indent": indent} if kind == "xml" else {}))
        sample = sampler(written)
        check = check_xml if kind == "xml" else check_yaml
        for _ in range(EACH):
            check(sample(rng), schema)
