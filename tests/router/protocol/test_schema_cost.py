"""What schemas come to when references are followed."""

from typing import Any

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.schema import check_schema


def laughs(levels: int, **leaf: Any) -> dict[str, Any]:
    """Definitions that each name the next one twice."""
    defs: dict[str, Any] = {"d0": leaf}
    for level in range(1, levels + 1):
        below = {"$ref": f"#/$defs/d{level - 1}"}
        defs[f"d{level}"] = {"properties": {"a": below, "b": below}}
    return {"$ref": f"#/$defs/d{levels}", "$defs": defs}


def test_definitions_that_double_each_other_are_refused_before_anybody_writes_them_out() -> None:
    check_schema(laughs(12), "s", Limits())
    with pytest.raises(ApiError, match="more than 100000 subschemas when references are written out") as caught:
        check_schema(laughs(25), "s", Limits())
    assert "schema_expanded" == caught.value.limit


def test_they_are_refused_as_well_when_the_last_one_is_recursive() -> None:
    with pytest.raises(ApiError, match="written out"):
        check_schema(laughs(25, properties={"again": {"$ref": "#/$defs/d0"}}), "s", Limits())


def test_the_bound_is_inclusive() -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"not": {}}}}
    # the whole, the property, and the definition with what is in it: named once, and defined once
    check_schema(schema, "s", Limits(schema_expanded=6))
    with pytest.raises(ApiError, match="more than 5"):
        check_schema(schema, "s", Limits(schema_expanded=5))


def test_rules_that_name_each_other_are_not_written_out() -> None:
    kinds = {
        f"k{i}": {"properties": {f"p{j}": {"$ref": f"#/$defs/k{j}"} for j in range(40)}} for i in range(40)
    }  # a syntax tree, say
    check_schema({"anyOf": [{"$ref": "#/$defs/k1"}, {"$ref": "#"}], "$defs": kinds}, "s", Limits())
    check_schema({"properties": {"next": {"$ref": "#"}}}, "s", Limits())


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"allOf": [{"$ref": "#"}]},
        {"properties": {"x": {"allOf": [{"allOf": [{"$ref": "#/properties/x"}]}]}}},
    ],
)
def test_a_circle_of_nothing_but_references_says_nothing(schema: object) -> None:
    with pytest.raises(ApiError, match="refers to itself and says nothing else"):
        check_schema(schema, "s", Limits())


@pytest.mark.parametrize("reference", ["#/$defs/b", "#/required/0", "#/required/9", "#anchor", "#/$defs/a/b", "#/x/a"])
def test_a_reference_must_lead_to_a_subschema(reference: str) -> None:
    schema = {"properties": {"p": {"$ref": reference}}, "$defs": {"a": {}}, "required": ["r"]}
    with pytest.raises(ApiError, match=r"s.properties.p.\$ref: refers to a place that is not there"):
        check_schema(schema, "s", Limits())


def test_pointers_are_read_with_their_escapes_and_into_arrays() -> None:
    references = ["#/$defs/a~1b~0%20c", "#/anyOf/1", "#/anyOf/1", "#"]
    schema = {
        "$defs": {"a/b~ c": {"type": "string"}},
        "anyOf": [{"type": "null"}, {"type": "array", "items": {"anyOf": [{"$ref": each} for each in references]}}],
    }
    check_schema(schema, "s", Limits())


def test_alternatives_within_all_of_multiply() -> None:
    ten = {"anyOf": [{"const": i} for i in range(10)]}
    check_schema({"allOf": [ten, ten, ten, ten]}, "s", Limits())
    with pytest.raises(ApiError, match="allOf makes more than 10000 alternatives") as caught:
        check_schema({"properties": {"x": {"allOf": [ten, ten, ten, ten, {"oneOf": [{}, {}]}]}}}, "s", Limits())
    assert "schema_products" == caught.value.limit


def test_they_multiply_behind_references_too_and_only_there() -> None:
    ten = {"$ref": "#/$defs/ten"}
    defs = {"ten": {"anyOf": [{"const": i} for i in range(10)]}, "flag": True}
    check_schema({"properties": dict.fromkeys("abcdefgh", ten), "$defs": defs}, "s", Limits())
    check_schema({"allOf": [ten] * 4, "$defs": defs}, "s", Limits())
    with pytest.raises(ApiError, match="allOf makes more than"):
        check_schema({"allOf": [ten] * 500, "$defs": defs}, "s", Limits())


def test_all_of_deep_within_may_name_what_is_defined_anywhere() -> None:
    part = {"allOf": [{"$ref": "#/$defs/a"}]}
    check_schema({"properties": {"p": part}, "$defs": {"a": {"type": "string"}}}, "s", Limits())
    tens = {"anyOf": [{"const": i} for i in range(10)]}
    many = {"properties": {"p": {"allOf": [{"$ref": "#/$defs/a"}] * 5}}, "$defs": {"a": tens}}
    with pytest.raises(ApiError, match="allOf makes more than 10000 alternatives"):
        check_schema(many, "s", Limits())
