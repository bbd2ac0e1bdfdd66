"""Structured output is guaranteed by constrained decoding: valid even where the model would rather say nonsense."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import pytest
import yaml

from tests.e2e.asking import Asker
from tests.router.protocol.markup.reading import read_xml

SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"enum": ["red", "green", "blue"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 4},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 2},
    },
    "required": ["colour", "count", "tags"],
    "additionalProperties": False,
}
XML = 'root ::= "<picture><colour>" colour "</colour></picture>"\ncolour ::= "red" | "green" | "blue"'
YAML = 'root ::= "colour: " colour "\\ncount: " [1-4]\ncolour ::= "red" | "green" | "blue"'
HOT = {"temperature": 2.0, "max_tokens": 400}
PICTURE = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 10},
        "colour": {"enum": ["red", "green", "blue", "<none>"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 120},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "seen": {"type": "string", "format": "date"},
        "on": {"type": ["boolean", "null"]},
        "parts": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {"kind": {"const": "a"}, "note": {"type": "string", "maxLength": 5}},
                    },
                    {"type": "integer", "minimum": -9, "maximum": 9},
                ]
            },
        },
    },
    "required": ["title", "colour", "count", "parts"],
    "additionalProperties": False,
}
ANSWERS = 200
AT_ONCE = 16


def response_format(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


@pytest.mark.parametrize("seed", range(12))
def test_a_schema_holds_at_any_temperature(ask: Asker, seed: int) -> None:
    said = ask.text("Tell me a story.", seed=seed, response_format=response_format(SCHEMA), **HOT)
    value = json.loads(said)
    assert set(value) == {"colour", "count", "tags"}
    assert value["colour"] in ("red", "green", "blue")
    assert 1 <= value["count"] <= 4
    assert 1 <= len(value["tags"]) <= 2
    assert set(value["tags"]) <= {"a", "b"}


def test_a_schema_holds_when_streamed(ask: Asker) -> None:
    said = ask.streamed_text("Tell me a story.", seed=1, response_format=response_format(SCHEMA), **HOT)
    assert set(json.loads(said)) == {"colour", "count", "tags"}


def test_json_object_is_an_object(ask: Asker) -> None:
    question = "My name is Anna. I live in Paris. Give me JSON with the keys name and city."
    said = ask.text(question, response_format={"type": "json_object"}, max_tokens=400)
    assert isinstance(json.loads(said), dict)


@pytest.mark.parametrize("seed", range(4))
def test_a_grammar_makes_xml(ask: Asker, seed: int) -> None:
    said = ask.text("Tell me.", seed=seed, response_format={"type": "grammar", "grammar": XML}, **HOT)
    assert re.fullmatch("<picture><colour>(red|green|blue)</colour></picture>", said)


@pytest.mark.parametrize("seed", range(4))
def test_a_grammar_makes_yaml(ask: Asker, seed: int) -> None:
    said = ask.text("Tell me.", seed=seed, response_format={"type": "grammar", "grammar": YAML}, **HOT)
    assert re.fullmatch("colour: (red|green|blue)\ncount: [1-4]", said)


@pytest.mark.parametrize("kind", ["xml", "yaml"])
def test_two_hundred_answers_in_xml_and_yaml_parse_and_are_valid(ask: Asker, kind: str) -> None:
    validator = jsonschema.Draft202012Validator(
        PICTURE, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )  # fmt: skip
    wanted = {"type": kind, "schema": PICTURE}

    def said(seed: int) -> str:
        answer = ask.ask("Tell me a story.", seed=seed, response_format=wanted, temperature=1.0, max_tokens=600)
        choice = answer["choices"][0]
        assert "stop" == choice["finish_reason"], choice
        text = choice["message"]["content"]
        assert isinstance(text, str)
        return text

    with ThreadPoolExecutor(AT_ONCE) as pool:
        texts = list(pool.map(said, range(ANSWERS)))
    for text in texts:
        value = read_xml(text, PICTURE) if kind == "xml" else yaml.safe_load(text)
        assert validator.is_valid(value), text
    assert len(set(texts)) > ANSWERS // 2  # not one answer over and over


def test_xml_can_be_indented_and_its_root_named(ask: Asker) -> None:
    wanted = {"type": "xml", "schema": PICTURE, "root": "picture", "indent": True}
    said = ask.streamed_text("Tell me.", seed=1, response_format=wanted, temperature=1.0, max_tokens=600)
    assert said.startswith("<picture>\n  <title>")
    read_xml(said, PICTURE, root="picture")


@pytest.mark.parametrize("seed", range(4))
def test_a_regex_holds_at_any_temperature(ask: Asker, seed: int) -> None:
    pattern = r"^[A-Z]\w{1,5}-\d{2}(?: .\S)?$"
    said = ask.text("Tell me.", seed=seed, response_format={"type": "regex", "regex": pattern}, **HOT)
    assert re.fullmatch(pattern, said)


@pytest.mark.parametrize("seed", range(4))
def test_a_choice_holds_at_any_temperature(ask: Asker, seed: int) -> None:
    choice = ['a "quoted" word', "a \\ back", "été", "# no comment"]
    assert ask.text("Tell me.", seed=seed, response_format={"type": "choice", "choice": choice}, **HOT) in choice


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"type": "regex", "regex": "(?=a)b"}, "response_format.regex"),
        ({"type": "choice", "choice": ["a", "a"]}, "response_format.choice"),
        ({"type": "xml", "schema": {"type": "string", "pattern": "a"}}, "response_format.schema.pattern"),
        ({"type": "yaml", "schema": {"type": "array"}}, "response_format.schema.items"),
        (response_format({"type": "array", "uniqueItems": True}), "response_format.json_schema.schema.uniqueItems"),
    ],
)
def test_what_cannot_be_kept_is_a_400_that_names_it(ask: Asker, wanted: dict[str, Any], field: str) -> None:
    response = ask.response("Tell me.", response_format=wanted)
    assert 400 == response.status_code, response.text
    assert field == response.json()["error"]["metadata"]["field"]


def test_a_schema_the_engine_cannot_compile_is_a_400_and_harms_nobody(ask: Asker) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=look)ahead("}}}
    response = ask.response("Tell me.", response_format=response_format(schema))
    assert response.status_code == 400, response.text
    assert response.json()["error"]["metadata"]["error_type"] == "invalid_request"
    assert ask.text("What is 7 plus 5?") == "7 plus 5 is 12."
