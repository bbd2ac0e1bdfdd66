"""Constraints on answers."""

import json
from typing import Any

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.response_format import constraint_of, engine_fields


def fields(value: Any, limits: Limits = Limits()) -> dict[str, Any]:  # noqa: B008  # frozen
    engine = engine_fields(value, json.dumps(value).encode(), limits)
    return {name: json.loads(raw) for name, raw in engine.items()}


def schema(**more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, **more}}


def test_json_formats_go_to_the_engine_as_they_are() -> None:
    assert {} == fields({"type": "text"})
    assert {"response_format": {"type": "json_object"}} == fields({"type": "json_object"})
    whole = schema(strict=True, description="d")
    assert {"response_format": whole} == fields(whole)


def test_a_grammar_becomes_vllms_structured_outputs() -> None:
    assert {"structured_outputs": {"grammar": 'root ::= "a"'}} == fields({"type": "grammar", "grammar": 'root ::= "a"'})


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({}, "response_format.type"),
        ({"type": "python"}, "response_format.type"),
        ({"type": "structural_tag", "format": {}}, "response_format.type"),
        ({"type": "json_schema"}, "response_format.json_schema"),
        ({"type": "json_schema", "json_schema": "x"}, "response_format.json_schema"),
        ({"type": "json_schema", "json_schema": {"schema": {}}}, "response_format.json_schema.name"),
        (schema(name=""), "response_format.json_schema.name"),
        (schema(name="x" * 65), "response_format.json_schema.name"),
        (schema(strict="yes"), "response_format.json_schema.strict"),
        (schema(description=5), "response_format.json_schema.description"),
        (schema(schema=None), "response_format.json_schema.schema"),
        (schema(schema="object"), "response_format.json_schema.schema"),
        (schema(schema={"type": "thing"}), "response_format.json_schema.schema.type"),
        ({"type": "grammar"}, "response_format.grammar"),
        ({"type": "grammar", "grammar": " "}, "response_format.grammar"),
    ],
)
def test_what_constrains_nothing_is_refused_by_its_field(value: Any, field: str) -> None:
    with pytest.raises(ApiError) as caught:
        fields(value)
    assert field == caught.value.field


def test_schemas_and_grammars_are_bounded_in_size() -> None:
    with pytest.raises(ApiError, match=r"response_format.json_schema.schema: at most 10 bytes"):
        fields(schema(), Limits(schema_bytes=10))
    with pytest.raises(ApiError, match=r"response_format.grammar: at most 3 bytes, got 4"):
        fields({"type": "grammar", "grammar": "root"}, Limits(grammar_bytes=3))


@pytest.mark.parametrize(
    "value",
    [
        {"patternProperties": {"^a": {}}},
        {"properties": {"patternProperties": {"type": "string"}}},
        {"properties": {"a": {"enum": [{"patternProperties": 1}]}}},
    ],
)
def test_what_leads_to_the_backend_that_writes_everything_out_is_refused(value: Any) -> None:
    with pytest.raises(ApiError, match="patternProperties is not supported for answers"):
        fields(schema(schema=value))


def test_a_text_about_it_leads_nowhere() -> None:
    said = {"description": 'write "patternProperties": {}', "enum": ["patternProperties"]}
    assert {"response_format": schema(schema=said)} == fields(schema(schema=said))


def test_the_same_constraint_has_the_same_number() -> None:
    assert constraint_of({}) is None
    assert constraint_of({"tools": b"[1]"}) is None
    assert constraint_of({"tools": b"[1]", "tool_choice": b'"auto"'}) is None
    found = [
        constraint_of({"response_format": b"{}"}),
        constraint_of({"response_format": b"{1}"}),
        constraint_of({"structured_outputs": b"{1}", "response_format": b"{}"}),
        constraint_of({"tools": b"[1]", "tool_choice": b'"required"'}),
        constraint_of({"tools": b"[2]", "tool_choice": b'"required"'}),
    ]
    assert 5 == len(set(found))
    assert found[0] == constraint_of({"response_format": b"{}", "messages": b"[]"})
