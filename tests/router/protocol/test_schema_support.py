"""Schemas that vLLM would refuse as a whole, and those it would not keep."""

import importlib
from typing import Any

import pytest

from router.protocol.errors import ApiError
from router.protocol.schema_support import check_support


def check(schema: Any, *, is_strict: bool = False) -> None:
    check_support(schema, "s", is_strict=is_strict)


def refused(schema: Any, *, is_strict: bool = False) -> str:
    with pytest.raises(ApiError) as caught:
        check(schema, is_strict=is_strict)
    assert caught.value.status == 400
    return caught.value.field or ""


def within(schema: Any) -> Any:
    return {"type": "object", "properties": {"a": {"type": "array", "items": schema}}}


REFUSED = [
    ({"type": "integer", "multipleOf": 2}, "multipleOf"),
    ({"type": "number", "multipleOf": 0.1}, "multipleOf"),
    ({"type": "array", "uniqueItems": True}, "uniqueItems"),
    ({"type": "array", "contains": {}}, "contains"),
    ({"type": "array", "minContains": 1}, "minContains"),
    ({"type": "object", "patternProperties": {}}, "patternProperties"),
    ({"type": "object", "propertyNames": {}}, "propertyNames"),
    ({"type": "string", "format": "color"}, "format"),
    ({"type": "string", "format": "date", "minLength": 1}, "format"),
    ({"type": "string", "pattern": "a", "maxLength": 1}, "pattern"),
    ({"type": "string", "minLength": 2, "maxLength": 1}, "maxLength"),
    ({"type": "array", "minItems": 2, "maxItems": 1}, "maxItems"),
    ({"type": "integer", "minimum": 2, "maximum": 1}, "maximum"),
    ({"type": "integer", "minimum": 1.5}, "minimum"),
    ({"type": "array", "items": [{"type": "string"}]}, "items"),
]
NOT_KEPT = [
    ({"not": {}}, "not"),
    ({"type": "object", "if": {}, "then": {}}, "if"),
    ({"type": "object", "dependentRequired": {"a": ["b"]}}, "dependentRequired"),
    ({"type": ["array", "null"], "uniqueItems": True}, "uniqueItems"),
    ({"multipleOf": 2}, "multipleOf"),
    ({"allOf": [{"type": "string"}, {"maxLength": 1}]}, "allOf"),
    ({"$ref": "#", "maxLength": 1}, "maxLength"),
    ({"type": "object", "anyOf": [{"required": ["a"]}]}, "type"),
    ({"maxLength": 2}, "maxLength"),
    ({"minimum": 2}, "minimum"),
    ({"maxItems": 2}, "maxItems"),
]
KEPT = [
    {"type": "integer", "minimum": 1, "maximum": 4.0},
    {"type": "number", "exclusiveMinimum": 0.5},
    {"type": "string", "format": "uuid"},
    {"type": "string", "minLength": 1, "maxLength": 2},
    {"type": "array", "items": {"type": "string"}, "minItems": 1},
    {"description": "d", "$ref": "#/$defs/a", "$defs": {"a": {"enum": [1, {"b": [2]}]}}},
    {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "t", "discriminator": {"propertyName": "a"}},
    {"allOf": [{"type": "string"}]},
    {"type": "object", "properties": {"a": True, "format": {"type": "string"}, "type": {"const": "string"}}},
    {"type": ["string", "null"], "maxLength": 2},
]


@pytest.mark.parametrize(("schema", "keyword"), REFUSED)
def test_what_vllm_refuses_is_named(schema: Any, keyword: str) -> None:
    assert f"s.{keyword}" == refused(schema)
    assert f"s.properties.a.items.{keyword}" == refused(within(schema))


def test_vllm_looks_into_values_too() -> None:
    assert "s.default.multipleOf" == refused({"default": {"type": "integer", "multipleOf": 2}})
    check({"default": {"type": ["integer"], "multipleOf": 2}})


@pytest.mark.parametrize(("schema", "keyword"), NOT_KEPT)
def test_what_would_not_be_kept_is_a_wish_but_nothing_strict(schema: Any, keyword: str) -> None:
    check(within(schema))
    assert f"s.properties.a.items.{keyword}" == refused(within(schema), is_strict=True)


@pytest.mark.parametrize("schema", KEPT)
def test_what_is_kept_may_be_strict(schema: Any) -> None:
    check(schema, is_strict=True)
    check(within(schema), is_strict=True)


@pytest.mark.parametrize("schema", [schema for schema, _ in REFUSED])
def test_vllm_does_refuse_it(schema: Any) -> None:
    sampling = pytest.importorskip("vllm.sampling_params")
    backend = importlib.import_module("vllm.v1.structured_output.backend_xgrammar")
    wanted = sampling.SamplingParams(structured_outputs=sampling.StructuredOutputsParams(json=within(schema)))
    refusal = importlib.import_module("vllm.exceptions").VLLMValidationError
    with pytest.raises(refusal, match=r"not supported by xgrammar|Failed to transform"):
        backend.validate_xgrammar_grammar(wanted)
