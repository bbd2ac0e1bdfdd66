"""The router's own document: it is well-formed, has every route, and says of answers what they are."""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator

from router.api.inference import ROUTES
from router.api.openapi.document import BASE, operations, write
from router.app import build
from router.bookkeeping import take_home
from router.protocol.fields import CHAT, COMPLETIONS, EMBEDDINGS, RERANK
from router.protocol.limits import Limits
from router.reload_file import ConfigFile
from tests.conformance.probes import BESIDE_THE_DOCUMENT
from tests.conformance.proves import proves
from tests.conformance.schemas import Document, closed
from tests.conformance.served import Served, configuration, pool

LIMITS = Limits(n=3, messages=5)
WRITTEN: dict[str, Any] = json.loads(write(LIMITS, version="1.2.3"))
STRICT = Document(closed(WRITTEN))


def refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from refs(each)
    elif isinstance(value, list):
        for each in value:
            yield from refs(each)


async def routes_of_the_app(folder: Path) -> set[str]:
    """`METHOD /path` of all that FastAPI serves under the first base and at the root, once it has started."""
    models = [{"id": "m/eyes", "context_length": 8192, "pools": [pool("http://127.0.0.1:9", "m")]}]
    path = folder / "router.yaml"
    path.write_text(json.dumps(configuration(folder, models)))
    file = ConfigFile(path, {})
    reading = file.read()
    home = take_home(reading.config.ledger, "test")
    app = build(reading, file, home=home)
    scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    told: asyncio.Queue[Any] = asyncio.Queue()
    said: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app(scope, told.get, said.put))
    await told.put({"type": "lifespan.startup"})
    assert "lifespan.startup.complete" == (await said.get())["type"]
    found = {
        f"{method} {route.path}"
        for route in app.edition.rest.routes
        if isinstance(route, APIRoute)
        for method in route.methods - {"HEAD"}
        if not route.path.startswith(("/v1/", "/api/beta/"))
    }
    await told.put({"type": "lifespan.shutdown"})
    await task
    home.close()
    return {route.replace("{slug:path}", "{author}/{slug}") for route in found}  # slugs of models have two parts


def test_every_route_is_in_the_document_and_nothing_else(tmp_path: Path) -> None:
    served = asyncio.run(routes_of_the_app(tmp_path)) | {f"POST {BASE}{path}" for path in ROUTES}
    assert sorted(served) == sorted(operations())


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    document = Document(WRITTEN)
    for schema in WRITTEN["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for each in set(refs(WRITTEN)):
        document.resolve({"$ref": each})


def test_every_schema_is_referred_to() -> None:
    named = {each.rpartition("/")[2] for each in refs(WRITTEN)}
    assert set() == WRITTEN["components"]["schemas"].keys() - named


def test_bodies_have_the_fields_and_ranges_that_the_router_reads() -> None:
    schemas = WRITTEN["components"]["schemas"]
    for name, table in (
        ("ChatRequest", CHAT),
        ("CompletionRequest", COMPLETIONS),
        ("EmbeddingRequest", EMBEDDINGS),
        ("RerankRequest", RERANK),
    ):
        assert sorted(table) == sorted(schemas[name]["properties"])
        assert all(field["description"] for field in schemas[name]["properties"].values())
    chat = schemas["ChatRequest"]["properties"]
    assert {"type": "number", "minimum": 0, "maximum": 2} == chat["temperature"]["anyOf"][0]
    assert (3, 5) == (chat["n"]["anyOf"][0]["maximum"], chat["messages"]["maxItems"])
    assert {"type": "array", "items": {"type": "string"}, "maxItems": LIMITS.stop} == chat["stop"]["anyOf"][1]


def test_the_router_serves_its_document_to_everybody(served: Served) -> None:
    root, based = (httpx.get(served.root_url + path) for path in ("/openapi.json", "/api/v1/openapi.json"))
    assert 200 == root.status_code
    assert root.content == based.content
    assert "3.1.0" == root.json()["openapi"]


EXAMPLES = {place: operation for place, operation in operations().items() if operation.example is not None}


@pytest.mark.parametrize("place", [place for place in EXAMPLES if place.startswith("POST") and "{" not in place])
def test_examples_are_answered_as_the_document_says(served: Served, place: str) -> None:
    """Every field of the answer is written down, too."""
    path = place.removeprefix(f"POST {BASE}")
    operation = EXAMPLES[place]
    assert operation.example is not None
    key = served.management_key if operation.key == "management" else served.api_key
    example: dict[str, Any] = dict(operation.example)
    if "model" in example:
        example["model"] = {"/embeddings": served.vector_model, "/rerank": served.rank_model}.get(path, served.model)
    if "slug" in example:
        example["slug"] += f"-{random.randrange(10**9)}"
    answer = served.ask("POST", path, key=key, json=example)
    assert operation.status == answer.status_code, answer.text
    schema = STRICT.answer_schema("POST", f"{BASE}{path}", answer.status_code)
    assert schema is not None
    assert [] == STRICT.problems(schema, answer.json())
    if operation.events is not None:
        check_events(served, path, operation.events, example)


def check_events(served: Served, path: str, schema: str, example: dict[str, Any]) -> None:
    """Of the same example as a stream."""
    with httpx.stream(
        "POST",
        served.base_url + path,
        headers={"Authorization": f"Bearer {served.api_key}"},
        json=example | {"stream": True},
        timeout=60,
    ) as stream:
        assert 200 == stream.status_code
        data = [line.removeprefix("data: ") for line in stream.iter_lines() if line.startswith("data: ")]
    events = [json.loads(each) for each in data if each != "[DONE]"]
    assert events
    for event in events:
        assert [] == STRICT.problems({"$ref": f"#/components/schemas/{schema}"}, event)


GETS = [
    place.removeprefix(f"GET {BASE}")
    for place, operation in operations().items()
    if place.startswith(f"GET {BASE}") and "{" not in place and operation.key != "none" and "/generation" not in place
]


@pytest.mark.parametrize("path", GETS)
def test_lists_are_answered_as_the_document_says(served: Served, path: str) -> None:
    key = served.management_key if operations()[f"GET {BASE}{path}"].key == "management" else served.api_key
    answer = served.ask("GET", path, key=key)
    assert 200 == answer.status_code, answer.text
    schema = STRICT.answer_schema("GET", f"{BASE}{path}", 200)
    assert schema is not None
    assert [] == STRICT.problems(schema, answer.json())


@proves(*BESIDE_THE_DOCUMENT)
@pytest.mark.parametrize("route", BESIDE_THE_DOCUMENT)
def test_what_openrouters_document_lacks_is_answered_as_ours_says(served: Served, route: str) -> None:
    answer = BESIDE_THE_DOCUMENT[route](served)
    method, path = route.replace("/batches/{id}", "/batches/{batch_id}").split(" ")
    operation = operations()[f"{method} {BASE}{path}"]
    assert operation.status == answer.status_code, answer.text
    if operation.media != "application/json":
        assert b"two blue circles" == answer.content
        return
    schema = STRICT.answer_schema(method, f"{BASE}{path}", answer.status_code)
    assert schema is not None
    assert [] == STRICT.problems(schema, answer.json())
