"""Schemas for XML and YAML: what they become, and what is refused because no grammar could keep it."""

import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from router.protocol.errors import ApiError
from router.protocol.grammar import check_grammar
from router.protocol.limits import Limits
from router.protocol.markup.compile import compile_markup

PERSON = {
    "type": "object",
    "properties": {
        "name": {"const": "A & B"},
        "yes": {"type": ["null", "boolean"]},
        "tags": {"items": {"enum": [1, "x"]}},
    },
    "required": ["name"],
}


def compiled(schema: Any, kind: str = "xml", limits: Limits = Limits(), **more: Any) -> str:  # noqa: B008  # frozen
    return compile_markup({"type": kind, "schema": schema, **more}, "f", limits)


def refused(schema: Any, kind: str = "xml", limits: Limits = Limits(), **more: Any) -> ApiError:  # noqa: B008
    with pytest.raises(ApiError) as caught:
        compiled(schema, kind, limits, **more)
    assert 400 == caught.value.status
    return caught.value


def test_a_grammar_of_xml() -> None:
    expected = (
        'root ::= "<answer>" r5 "</answer>"\n'
        'r0 ::= "A &amp; B"\n'
        'r1 ::= ("true" | "false")\n'
        'r2 ::= ("1" | "x")\n'
        'r3 ::= "<item>" r2 "</item>"\n'
        'r4 ::= r3{1,} | ""\n'
        'r5 ::= "<name>" r0 "</name>" (("<yes>" r1 "</yes>" | "<yes nil=\\"true\\"/>"))? ("<tags>" r4 "</tags>")?'
    )
    assert expected == compiled(PERSON)


def test_indented_xml_has_every_element_on_a_line_of_its_own() -> None:
    expected = (
        'root ::= "<person>" r4 "</person>"\n'
        'r0 ::= "A &amp; B"\n'
        'r1 ::= ("1" | "x")\n'
        'r2 ::= "\\n    " "<item>" r1 "</item>"\n'
        'r3 ::= r2{1,2} "\\n  "\n'
        'r4 ::= "\\n  " "<name>" r0 "</name>" "\\n  " "<tags>" r3 "</tags>" "\\n"'
    )
    tags = {"type": "array", "items": {"enum": [1, "x"]}, "minItems": 1, "maxItems": 2}
    schema = {"properties": {"name": {"const": "A & B"}, "tags": tags}, "required": ["tags", "name"]}
    assert expected == compiled(schema, root="person", indent=True)


def test_a_grammar_of_yaml() -> None:
    schema = {"properties": {"on": {"type": "null"}, "b": {"items": {"const": "é"}}}}
    expected = (
        "root ::= r11\n"
        'r0 ::= "null"\n'
        'r1 ::= "\\"\\u00e9\\""\n'
        'r2 ::= "- " r1\n'
        'r3 ::= "\\n  " r2\n'
        "r4 ::= r2 r3*\n"
        'r5 ::= (" " "[]" | "\\n  " r4)\n'
        'r6 ::= "b:" r5\n'
        'r7 ::= ("\\n" r6)?\n'
        'r8 ::= "\\"on\\":" " " r0\n'
        "r9 ::= r6\n"
        "r10 ::= r8 r7 | r9\n"
        'r11 ::= ("{}" | r10)'
    )
    assert expected == compiled(schema, "yaml")


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (None, ""),
        ("x", ""),
        ({}, ".type"),
        ({"type": "thing"}, ".type"),
        ({"type": "array"}, ".items"),
        ({"type": "array", "items": True}, ".items"),
        ({"type": "array", "items": [{"type": "null"}]}, ".items"),
        ({"type": "array", "items": {"type": "null"}, "uniqueItems": True}, ".uniqueItems"),
        ({"type": "array", "items": {"type": "null"}, "minItems": 2, "maxItems": 1}, ".maxItems"),
        ({"type": "array", "items": {"type": "null"}, "contains": {}}, ".contains"),
        ({"type": "array", "items": {"type": "null"}, "prefixItems": [{}]}, ".prefixItems"),
        ({"type": "object"}, ".properties"),
        ({"type": "object", "properties": {}}, ".properties"),
        ({"properties": {"a": True}}, ".properties.a"),
        ({"properties": {"a": {}}}, ".properties.a.type"),
        ({"properties": {"a": {"type": "null"}}, "required": ["b"]}, ".required"),
        ({"properties": {"a": {"type": "null"}}, "additionalProperties": {"type": "null"}}, ".additionalProperties"),
        ({"properties": {"a": {"type": "null"}}, "unevaluatedProperties": {}}, ".unevaluatedProperties"),
        ({"properties": {"a": {"type": "null"}}, "patternProperties": {}}, ".patternProperties"),
        ({"properties": {"a": {"type": "null"}}, "minProperties": 1}, ".minProperties"),
        ({"properties": {"a": {"type": "null"}}, "maxProperties": 0}, ".maxProperties"),
        ({"properties": {"a": {"type": "null"}}, "if": {}, "then": {}}, ".if"),
        ({"properties": {"xmlA": {"type": "null"}}}, ".properties.xmlA"),
        ({"properties": {"a b": {"type": "null"}}}, ".properties.a b"),
        ({"properties": {"x" * 129: {"type": "null"}}}, ".properties." + "x" * 129),
        ({"type": "string", "pattern": "a"}, ".pattern"),
        ({"type": "string", "format": "email"}, ".format"),
        ({"type": "string", "format": "date", "maxLength": 9}, ".format"),
        ({"type": "string", "minLength": 2, "maxLength": 1}, ".maxLength"),
        ({"type": "string", "minimum": 2}, ".minimum"),
        ({"type": "integer", "multipleOf": 2}, ".multipleOf"),
        ({"type": "integer", "minimum": 10**15}, ".minimum"),
        ({"type": "integer", "minimum": 5, "exclusiveMaximum": 5}, ""),
        ({"type": "number", "multipleOf": 1}, ".multipleOf"),
        ({"type": "number", "minimum": 0.5}, ".minimum"),
        ({"type": "number", "exclusiveMaximum": 10**9}, ".exclusiveMaximum"),
        ({"type": "number", "minimum": 5, "exclusiveMaximum": 5}, ""),
        ({"enum": [{}]}, ".enum"),
        ({"const": []}, ".const"),
        ({"enum": ["a"], "type": "integer"}, ".enum"),
        ({"enum": ["a"], "const": "b"}, ".enum"),
        ({"enum": ["a"], "maxLength": 1}, ".maxLength"),
        ({"enum": ["\x01"]}, ""),
        ({"not": {}, "type": "null"}, ".not"),
        ({"allOf": [{"type": "null"}, {"type": "null"}]}, ".allOf"),
        ({"allOf": [{"type": "null"}], "type": "null"}, ".type"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}, "type": "null"}, ".type"),
        ({"$ref": "#/$defs/a"}, ".$ref"),
        ({"$ref": "#"}, ""),
        ({"anyOf": [{"type": "null"}], "type": "null"}, ".type"),
        ({"anyOf": [{"$ref": "#"}, {"type": "null"}]}, ""),
        ({"anyOf": [{"anyOf": [{"$ref": "#"}]}, {"type": "null"}]}, ".anyOf[0]"),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, ".oneOf"),
        ({"type": ["string", "integer"], "items": {}}, ".items"),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, ""),
    ],
)  # fmt: skip
def test_what_a_grammar_could_not_keep_is_refused_by_its_keyword(schema: Any, field: str) -> None:
    assert f"f.schema{field}"[:200] == refused(schema).field


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"root": 5}, "f.root"),
        ({"root": "a b"}, "f.root"),
        ({"root": "XMLish"}, "f.root"),
        ({"indent": "yes"}, "f.indent"),
        ({"strict": True}, "f.strict"),
    ],
)
def test_the_fields_beside_the_schema_are_checked(more: dict[str, Any], field: str) -> None:
    assert field == refused({"type": "null"}, **more).field


def test_yaml_has_neither_root_nor_indent() -> None:
    assert "f.root" == refused({"type": "null"}, "yaml", root="a").field
    assert "f.indent" == refused({"type": "null"}, "yaml", indent=True).field


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}, {"items": {"type": "null"}}]},
        {"oneOf": [{"enum": [1, True, None]}, {"enum": [2, False, "1"]}]},
        {"oneOf": [{"enum": [True, None]}, {"type": "number"}, {"type": "string"}]},
        {"oneOf": [{"type": "string"}, {"enum": [1, None]}]},
        {"oneOf": [{"enum": ["a"]}, {"properties": {"a": {"type": "null"}}}]},
        {
            "oneOf": [
                {"properties": {"kind": {"const": "a"}, "x": {"const": 1}}, "required": ["x", "kind"]},
                {"properties": {"kind": {"enum": ["b", "c"]}}, "required": ["kind"]},
            ]
        },
    ],
)
def test_one_of_is_kept_where_no_value_fits_two(schema: Any) -> None:
    check_grammar(compiled(schema), "g", Limits())


@pytest.mark.parametrize(
    "parts",
    [
        [{"enum": [1]}, {"enum": [1.0, 2]}],
        [{"enum": [1]}, {"type": "integer"}],
        [{"type": "string"}, {"const": "a"}],
        [{"items": {"type": "null"}}, {"items": {"type": "null"}}],
        [{"properties": {"kind": {"const": "a"}}}, {"properties": {"kind": {"const": "b"}}}],
        [{"anyOf": [{"type": "null"}, {"type": "string"}]}, {"type": "string"}],
    ],
)
def test_one_of_is_refused_where_a_value_could_fit_two(parts: Any) -> None:
    error = refused({"oneOf": parts})
    assert "f.schema.oneOf" == error.field
    assert "use anyOf" in error.message
    compiled({"anyOf": parts})


def test_formats_are_written_as_rules() -> None:
    assert 'root ::= "<answer>" r0 "</answer>"' in compiled({"type": "string", "format": "uuid"})
    assert 'root ::= "\\"" r0 "\\""\nr0 ::= [0-9a-f]{8} "-"' in compiled({"type": "string", "format": "uuid"}, "yaml")


def test_what_says_nothing_is_let_pass() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "t", "type": ["object"], "x-order": 1,
        "properties": {
            "a": {"allOf": [{"$ref": "#/$defs/a"}], "default": "x", "deprecated": True},
            "b": {"type": ["integer", "number"], "minimum": 3, "multipleOf": 1},
        },
        "additionalProperties": True, "minProperties": 1, "maxProperties": 2, "required": ["a"],
        "$defs": {"a": {"type": "array", "items": {"type": "null"}, "uniqueItems": False, "maxItems": 0}},
    }  # fmt: skip
    assert '"<a>" "" "</a>"' in compiled(schema)
    assert '"a:" " " "[]"' in compiled(schema, "yaml")


def test_an_object_without_properties_is_empty_where_that_is_meant() -> None:
    schema = {"type": "object", "additionalProperties": False}
    assert 'root ::= "<answer>" r0 "</answer>"\nr0 ::= ""' == compiled(schema)
    assert 'root ::= "{}"' == compiled(schema, "yaml")


def test_keys_that_yaml_takes_for_values_are_quoted_and_long_ones_refused() -> None:
    def first(name: str) -> str:
        return compiled({"properties": {name: {"const": 1}}, "required": [name]}, "yaml").split("\n")[2]

    assert 'r1 ::= "name-1:" " " r0' == first("name-1")
    for name in ("on", "NO", "y", "null", "1", "a b", "", "é", "<<", "-"):
        assert '\\":" ' in first(name), name
    assert '"\\"\\\\u2028\\\\U000f0000\\\\n\\":"' not in first("\u2028")
    assert "f.schema.properties." + "\n" * 180 == refused({"properties": {"\n" * 600: {"const": 1}}}, "yaml").field


def deep(levels: int) -> Any:
    return {"type": "array", "items": deep(levels - 1)} if levels else {"type": "null"}


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        ("markup_depth", deep(2), deep(3)),
        ("markup_alternatives", {"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": n} for n in range(3)]}),
        ("markup_alternatives", {"oneOf": [{"const": 1}, {"const": 2}]}, {"oneOf": [{"const": n} for n in range(3)]}),
        ("markup_rules", {"type": "boolean"}, {"properties": {f"p{n}": {"const": n} for n in range(13)}}),
        ("markup_bytes", {"const": "a" * 100}, {"const": "a" * 600}),
    ],
)
def test_every_bound_is_inclusive_and_named_in_what_it_refuses(limit: str, least: Any, most: Any) -> None:
    limits = Limits(markup_depth=2, markup_alternatives=2, markup_rules=12, markup_bytes=400)
    for kind in ("xml", "yaml"):
        compiled(least, kind, limits)
        assert limit == refused(most, kind, limits).limit


def test_the_same_alternative_many_times_over_is_counted_with_one_of() -> None:
    again = {"$ref": "#/$defs/a"}
    schema = {"oneOf": [again, again, again], "$defs": {"a": {"type": "null"}}}
    assert "markup_alternatives" == refused(schema, limits=Limits(markup_alternatives=2)).limit


def test_a_schema_that_refers_to_itself_ends_at_the_greatest_depth() -> None:
    tree = {"type": "object", "properties": {"of": {"items": {"$ref": "#"}}, "up": {"$ref": "#"}}, "required": ["of"]}
    for kind in ("xml", "yaml"):
        small, large = (compiled(tree, kind, Limits(markup_depth=depth)) for depth in (6, 12))
        assert len(large) < 3 * len(small)  # and not two to the power of 6
    endless = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert "markup_depth" == refused(endless, "yaml").limit


def chain(link: Callable[[int, Any], Any]) -> Any:
    """Definitions that each refer to the next one."""
    links = {f"a{index}": link(index, {"$ref": f"#/$defs/a{index + 1}"}) for index in range(2_000)}
    return {"$ref": "#/$defs/a0", "$defs": {**links, "a2000": {"type": "null"}}}


def test_a_string_of_exactly_one_character_is_not_repeated() -> None:
    assert 'root ::= "<answer>" r0 "</answer>"' in compiled({"type": "string", "minLength": 1, "maxLength": 1})
    assert 'root ::= "<answer>" "" "</answer>"' in compiled({"type": "string", "maxLength": 0})


HUGE = [
    {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(512)}},
    {"enum": [f"v{n}" for n in range(5_000)]},
    chain(lambda index, following: following),
    chain(lambda index, following: {"anyOf": [following]}),
    chain(lambda index, following: {"anyOf": [{"const": index}, following]}),
    {"oneOf": [{"properties": {f"k{n}": {"const": n}}, "required": [f"k{n}"]} for n in range(1_000)]},
    {"properties": {f"p{n}": {"anyOf": [{"$ref": "#"}, {"type": "number", "minimum": -123456}]} for n in range(300)}},
    {"type": "array", "items": {"type": "string", "maxLength": 10_000}, "maxItems": 10_000},
    {"anyOf": [{"properties": {f"p{n}": {"$ref": "#"} for n in range(30)}} for _ in range(60)]},
]


def calls(work: Callable[[], object]) -> int:
    """How many functions are called: the measure of work that does not depend on the machine."""
    count = 0

    def called(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        with suppress(ApiError):
            work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("schema", HUGE)
@pytest.mark.parametrize("kind", ["xml", "yaml"])
def test_the_work_is_bounded_whatever_is_asked_for(schema: Any, kind: str) -> None:
    """A million calls are some tenths of a second."""
    assert calls(lambda: compiled(schema, kind, Limits(schema_expanded=10**7))) < 2_000_000
