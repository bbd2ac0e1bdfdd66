"""Structured output is guaranteed by constrained decoding: valid even where the model would rather say nonsense."""

import json
import re
from typing import Any

import pytest

from tests.e2e.asking import Asker

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


def test_a_schema_the_engine_cannot_compile_is_a_400_and_harms_nobody(ask: Asker) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=look)ahead("}}}
    response = ask.response("Tell me.", response_format=response_format(schema))
    assert response.status_code == 400, response.text
    assert response.json()["error"]["metadata"]["error_type"] == "invalid_request"
    assert ask.text("What is 7 plus 5?") == "7 plus 5 is 12."
