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


def test_a_regex_is_sent_as_it_is_meant() -> None:
    assert {"structured_outputs": {"regex": "[0-9]{2}"}} == fields({"type": "regex", "regex": r"^\d{2}$"})
    assert {"structured_outputs": {"regex": "a|b"}} == fields({"type": "regex", "pattern": "a|b"})


def test_a_choice_is_one_of_some_texts() -> None:
    assert {"structured_outputs": {"choice": ["a", "b c"]}} == fields({"type": "choice", "choice": ["a", "b c"]})


@pytest.mark.parametrize("kind", ["xml", "yaml"])
def test_a_schema_for_xml_and_yaml_becomes_a_grammar(kind: str) -> None:
    engine = fields({"type": kind, "schema": {"enum": ["red"]}})
    assert engine["structured_outputs"]["grammar"].startswith("root ::= ")


def test_only_what_is_strict_is_held_to_what_can_be_guaranteed() -> None:
    wish = {"type": "object", "properties": {"a": {"not": {"type": "string"}}}}
    assert {"response_format": schema(schema=wish)} == fields(schema(schema=wish))
    with pytest.raises(ApiError, match=r"response_format.json_schema.schema.properties.a.not: cannot be guaranteed"):
        fields(schema(schema=wish, strict=True))
    with pytest.raises(ApiError, match=r"schema.properties.a.uniqueItems: is not supported for answers"):
        fields(schema(schema={"properties": {"a": {"type": "array", "uniqueItems": True}}}))


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
        ({"type": "regex"}, "response_format.regex"),
        ({"type": "regex", "pattern": 5}, "response_format.pattern"),
        ({"type": "regex", "pattern": "a", "regex": "a"}, "response_format.pattern"),
        ({"type": "regex", "regex": "(?=a)"}, "response_format.regex"),
        ({"type": "choice"}, "response_format.choice"),
        ({"type": "choice", "choice": []}, "response_format.choice"),
        ({"type": "choice", "choice": ["a", "a"]}, "response_format.choice"),
        ({"type": "choice", "choice": ["a", ""]}, "response_format.choice[1]"),
        ({"type": "choice", "choice": ["a", 1]}, "response_format.choice[1]"),
        ({"type": "choice", "choice": ["a\nb"]}, "response_format.choice[0]"),
        ({"type": "xml"}, "response_format.schema"),
        ({"type": "yaml", "schema": {}}, "response_format.schema.type"),
        ({"type": "xml", "schema": {"type": "null"}, "root": "a b"}, "response_format.root"),
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
    with pytest.raises(ApiError, match=r"response_format.schema: at most 10 bytes"):
        fields({"type": "xml", "schema": {"type": "null"}}, Limits(schema_bytes=10))
    with pytest.raises(ApiError, match=r"response_format.choice: at most 3 bytes in all, got 4"):
        fields({"type": "choice", "choice": ["ab", "é"]}, Limits(grammar_bytes=3))
    with pytest.raises(ApiError, match=r"response_format.choice: at most 1 texts, got 2"):
        fields({"type": "choice", "choice": ["a", "b"]}, Limits(choices=1))


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
