"""JSON Schemas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mistral_common.utils.json_utils import validate_json_schema_by_draft7

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.schema import check_schema

GOOD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "colour": {"type": "string", "enum": ["red", None], "description": "of the thing"},
        "count": {"type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 5.5, "multipleOf": 0.5},
        "name": {"type": "string", "pattern": "^[a-z]{1,8}$", "minLength": 1, "maxLength": 8.0, "format": "uri"},
        "list": {"type": "array", "items": {"$ref": "#/$defs/thing"}, "uniqueItems": True, "maxItems": 3},
        "pair": {"prefixItems": [{"type": "string"}, True], "items": False},
        "old": {"items": [{"type": "string"}]},
        "any": {"anyOf": [{"const": 1}, {"not": {"type": "null"}}]},
        "free": {"dependencies": {"a": ["b"], "b": {"type": "string"}}},
    },
    "required": ["colour"],
    "additionalProperties": False,
    "$defs": {"thing": {"type": "object", "additionalProperties": {"type": "number"}}},
}


def test_a_schema_with_all_the_usual_keywords_is_one() -> None:
    check_schema(GOOD, "s", Limits())


@pytest.mark.parametrize(
    ("schema", "field", "problem"),
    [
        ("string", "s", "must be an object"),
        (None, "s", "must be an object"),
        (True, "s", "must be an object"),
        ([], "s", "must be an object"),
        ({"type": "nonsense"}, "s.type", "must be one or several of"),
        ({"type": []}, "s.type", "must be one or several of"),
        ({"type": ["null", "null"]}, "s.type", "must be one or several of"),
        ({"type": [{}]}, "s.type", "must be one or several of"),
        ({"type": {"a": 1}}, "s.type", "must be one or several of"),
        ({"properties": []}, "s.properties", "must be an object of schemas"),
        ({"properties": {"a": 1}}, "s.properties.a", "must be an object"),
        ({"properties": {"a": {"items": {"type": 1}}}}, "s.properties.a.items.type", "must be one or several of"),
        ({"items": [5]}, "s.items[0]", "must be an object"),
        ({"anyOf": {}}, "s.anyOf", "must be an array of schemas, not empty"),
        ({"anyOf": []}, "s.anyOf", "must be an array of schemas, not empty"),
        ({"allOf": [{}, 3]}, "s.allOf[1]", "must be an object"),
        ({"not": 3}, "s.not", "must be an object"),
        ({"dependencies": {"a": ["b", "b"]}}, "s.dependencies.a", "must be an object"),
        ({"required": "a"}, "s.required", "array of different strings"),
        ({"required": ["a", "a"]}, "s.required", "array of different strings"),
        ({"required": [1]}, "s.required", "array of different strings"),
        ({"enum": []}, "s.enum", "must be an array, not empty"),
        ({"enum": "a"}, "s.enum", "must be an array, not empty"),
        ({"items": []}, "s.items", "must be a schema, or an array of schemas, not empty"),
        ({"minLength": -1}, "s.minLength", "must be a whole number from 0 to 10000"),
        ({"maxItems": 10_001}, "s.maxItems", "must be a whole number from 0 to 10000"),
        ({"maxItems": 1.5}, "s.maxItems", "must be a whole number from 0 to 10000"),
        ({"maxItems": True}, "s.maxItems", "must be a whole number from 0 to 10000"),
        ({"minimum": "1"}, "s.minimum", "must be a number"),
        ({"multipleOf": 0}, "s.multipleOf", "must be greater than 0"),
        ({"title": 1}, "s.title", "must be a string"),
        ({"uniqueItems": 1}, "s.uniqueItems", "must be true or false"),
        ({"$ref": "https://example.com/s.json"}, "s.$ref", "only references within the schema"),
        ({"pattern": 5}, "s.pattern", "must be a string"),
        ({"pattern": "a" * 513}, "s.pattern", "at most 512 characters, got 513"),
        ({"pattern": "(a{1,1000}){1,1000}"}, "s.pattern", "may repeat at most 256 times"),
        ({"patternProperties": {"(?=a)": {}}}, "s.patternProperties", "look-ahead"),
        ({"$ref": "#/$defs/none"}, "s.$ref", "refers to a place that is not there"),
        ({"$ref": "#"}, "s", "refers to itself"),
    ],
)
def test_what_is_no_schema_is_refused_at_its_place(schema: object, field: str, problem: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_schema(schema, "s", Limits())
    assert field == caught.value.field
    assert problem in caught.value.message


def test_depth_and_size_are_bounded() -> None:
    schema: dict[str, object] = {}
    for _ in range(32):
        schema = {"not": schema}
    with pytest.raises(ApiError, match="nested deeper than 32 levels"):
        check_schema(schema, "s", Limits())
    with pytest.raises(ApiError, match="s: more than 10 subschemas"):
        check_schema({"properties": {str(i): {} for i in range(20)}}, "s", Limits(schema_nodes=10))


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        ("schema_depth", {"not": {}}, {"not": {"not": {}}}),
        ("schema_nodes", {"additionalProperties": {}}, {"properties": {"a": {}, "b": {}}}),
        ("schema_properties", {"properties": {"a": {}, "b": {}}}, {"properties": {"a": {}, "b": {}, "c": {}}}),
        ("schema_enum", {"enum": [1, 2]}, {"enum": [1], "not": {"enum": [1, 2]}}),
        ("schema_repeat", {"minItems": 2}, {"minItems": 3}),
        ("schema_products", {"allOf": [{"anyOf": [{}, {}]}]}, {"allOf": [{"anyOf": [{}, {}]}, {"oneOf": [{}, {}]}]}),
        ("pattern_chars", {"pattern": "aa"}, {"pattern": "aaa"}),
    ],
)
def test_every_bound_is_inclusive_and_named_in_what_it_refuses(limit: str, least: object, most: object) -> None:
    limits = Limits(**{limit: 2})  # a whole schema counts as one level, and as one subschema
    check_schema(least, "s", limits)
    with pytest.raises(ApiError) as caught:
        check_schema(most, "s", limits)
    assert limit == caught.value.limit


def test_what_is_only_shown_to_the_model_may_refer_and_match_as_it_likes() -> None:
    shown = {"$ref": "#/nowhere", "pattern": r"^(?!.*\.\.)(a)\1", "patternProperties": {"(?=x": {}}}
    check_schema(shown, "s", Limits(), is_compiled=False)


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from(["a", "object", "string"])
KEYWORDS = st.sampled_from(
    "type properties items anyOf allOf oneOf not required enum minLength maxItems minimum multipleOf pattern title "
    "uniqueItems $ref additionalProperties definitions if then contains propertyNames readOnly examples format $id "
    "$comment additionalItems dependencies contentEncoding contentMediaType".split()
)
SCHEMAS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4), max_leaves=12
)


@given(schema=st.dictionaries(KEYWORDS, SCHEMAS, max_size=4))
def test_what_passes_here_passes_mistrals_own_check_of_tools(schema: dict[str, object]) -> None:
    try:
        check_schema(schema, "s", Limits())
    except ApiError:
        return
    validate_json_schema_by_draft7(schema)
