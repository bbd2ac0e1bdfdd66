"""Answers against OpenRouter's own OpenAPI document, route by route, and what is not here against its error's shape.

The document is not ours to carry: where it is not found beside the project, the tests that need it are skipped.
"""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.page import ROOT, rows
from tests.conformance.probes import PROBES, SMALL
from tests.conformance.proves import proves
from tests.conformance.schemas import Document
from tests.conformance.served import Served

FOUND = ROOT.parent / "shared" / "reference" / "openrouter-openapi.json"
WANTED = [row for row in rows() if row.state != "no" and row.route in PROBES]
MISSING = [row for row in rows() if row.state == "no"]
KNOWN = {  # where ours is otherwise, and is to stay so
    "GET /workspaces": ["$.data[0].id: 'default' is not a 'uuid'"],  # everybody's first workspace; ids are stored
}
ERROR = {"error": {"code", "message", "metadata"}}
STREAMS = {
    "/chat/completions": SMALL,
    "/responses": {"model": "model", "input": "What is 7 plus 5?", "max_output_tokens": 16},
    "/messages": SMALL,
}


@pytest.fixture(scope="module")
def openrouter(path: Path = FOUND) -> Document:
    if not path.exists():
        pytest.skip("OpenRouter's document is not here")
    return Document(with_our_providers(json.loads(path.read_bytes())))


def with_our_providers(schema: Any) -> Any:
    """The document lists by name who serves models at OpenRouter. Here it is somebody else."""
    if isinstance(schema, list):
        return [with_our_providers(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    names = schema.get("enum", ())
    return {
        key: with_our_providers(value) for key, value in schema.items() if key != "enum" or "DeepInfra" not in names
    }


@proves(*(row.route for row in WANTED))
@pytest.mark.parametrize("row", WANTED, ids=lambda row: row.route)
def test_answers_validate_by_openrouters_document(openrouter: Document, served: Served, row: Any) -> None:
    answer = PROBES[row.route](served)
    assert answer.status_code in (200, 201), answer.text
    schema = openrouter.answer_schema(row.method, row.path, answer.status_code)
    assert schema is not None
    assert KNOWN.get(row.route, []) == openrouter.problems(schema, answer.json())


@proves("GET /auth/key")
def test_the_old_name_of_a_route_answers_as_the_new_one(served: Served) -> None:
    old, new = served.ask("GET", "/auth/key"), served.ask("GET", "/key")
    assert 200 == old.status_code == new.status_code
    assert old.json()["data"].keys() == new.json()["data"].keys()


@proves("GET /parameters/{author}/{slug}")
def test_a_models_parameters_are_those_of_its_object(served: Served) -> None:
    """A route that OpenRouter's document had until 2025."""
    told = served.ask("GET", f"/parameters/{served.model}").json()["data"]
    model = served.ask("GET", f"/model/{served.model}").json()["data"]
    assert {"model": served.model, "supported_parameters": model["supported_parameters"]} == told


@pytest.mark.parametrize("path", STREAMS)
def test_events_validate_by_openrouters_document(openrouter: Document, served: Served, path: str) -> None:
    schema = openrouter.answer_schema("POST", path, 200, "text/event-stream")
    assert schema is not None
    body = {**STREAMS[path], "model": served.model, "stream": True}
    answer = served.ask("POST", path, json=body)
    assert "text/event-stream" in answer.headers["content-type"]
    for event in events(answer):
        # OpenAI's streams have `usage: null` until the end; the document, which says so of whole answers, forgot it
        if event["data"].get("response", {}).get("usage", ()) is None:
            del event["data"]["response"]["usage"]
        assert [] == openrouter.problems(schema, event)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """A stream's events, as the document has them: with `event` where there is one, and `data`."""
    found: list[dict[str, Any]] = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if re.match(r"event|data", line))
        if "data" in fields and fields["data"] != "[DONE]":
            found.append({**fields, "data": json.loads(fields["data"])})
    assert found
    return found


@pytest.mark.parametrize("row", MISSING, ids=lambda row: row.route)
def test_what_is_not_here_is_404_in_the_apis_shape(served: Served, row: Any) -> None:
    path = re.sub(r"\{\w+\}", "some", row.path)
    answer = served.ask(row.method, path, key=served.management_key)
    assert answer.status_code == 404
    told = answer.json()
    assert set(ERROR) == set(told)
    assert ERROR["error"] == set(told["error"])
    assert (404, "not_found") == (told["error"]["code"], told["error"]["metadata"]["error_type"])
