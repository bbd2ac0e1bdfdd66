"""Plugins and the response cache through a real router: what the engine gets, and what the caller does."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests import fault_behaviours as faults
from tests.integration.conftest import MODEL, Engine, Router, StartRouter
from tests.router.plugins import documents
from tests.router.plugins.documents import DRAWING, page, pdf
from tests.router.upstream.media_world import Site, picture

PDF = pdf(page("Hello from page one"), DRAWING)
HASH = hashlib.sha256(PDF).hexdigest()
FIELD = "messages[0].content[1].file"
LOOPBACK = ["127.0.0.0/8", "::1/128"]
CACHED = {"X-OpenRouter-Cache": "true"}


def asking(data: bytes | str, *then: dict[str, Any]) -> dict[str, Any]:
    url = data if isinstance(data, str) else "data:application/pdf;base64," + base64.b64encode(data).decode()
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": url}}
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, file]}, *then]}


def sent_to(engine: Engine) -> list[dict[str, Any]]:
    """Messages of the last request."""
    messages: list[dict[str, Any]] = json.loads(engine.requests[-1].body)["messages"]
    return messages


def texts(parts: Sequence[dict[str, Any]]) -> list[Any]:
    return [part.get("text") for part in parts]


async def post(r: Router, body: dict[str, Any], **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by their names in lower case, and the body."""
    data = json.dumps({"model": MODEL, **body})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with r.session.post(r.url + "/api/v1/chat/completions", data=data, headers=named) as response:
        return response.status, {k.lower(): v for k, v in response.headers.items()}, await response.read()


def events(stream: bytes) -> list[dict[str, Any]]:
    return [json.loads(event[6:]) for event in stream.split(b"\n\n") if event.startswith(b"data: {")]


def said(content: str) -> faults.Behaviour:
    """A whole answer with that content."""
    answer = json.loads(faults.ANSWER)
    answer["choices"][0]["message"]["content"] = content
    return faults.whole(200, json.dumps(answer).encode())


def test_engines_get_what_is_in_a_document_and_callers_an_annotation_that_spares_its_reading(
    router: StartRouter,
) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            status, answer = await r.ask(asking(PDF))
            assert 200 == status
            (message,) = sent_to(engine)
            inside = ["What is it?", '<file name="a.pdf">', "Hello from page one", None, "</file>"]
            assert inside == texts(message["content"])
            assert message["content"][3]["image_url"]["url"].startswith("data:image/jpeg;base64,")
            (annotation,) = answer["choices"][0]["message"]["annotations"]
            assert ("file", HASH, "a.pdf") == (annotation["type"], *(annotation["file"][k] for k in ("hash", "name")))
            assert inside[1:] == texts(annotation["file"]["content"])
            # and back: what stands in the annotation is believed, so it shows that nothing was read again
            annotation["file"]["content"][1]["text"] = "as it was read before"
            before = {**answer["choices"][0]["message"], "annotations": [annotation]}
            status, answer = await r.ask(asking(PDF, before, {"role": "user", "content": "And?"}))
            assert 200 == status
            assert "as it was read before" == texts(sent_to(engine)[0]["content"])[2]
            assert "annotations" not in answer["choices"][0]["message"]
            assert all("annotations" not in message for message in sent_to(engine))

    asyncio.run(main())


def test_a_stream_has_its_annotations_in_a_delta(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_stream) as engine, router(engine) as r:
            _, _, stream = await post(r, {"stream": True, **asking(PDF)})
            told = events(stream)
            found = [chunk["choices"][0]["delta"].get("annotations") for chunk in told]
            assert [None, None] == [found[0], *found[2:]][:2]
            assert HASH == found[1][0]["file"]["hash"]
            assert 1 == len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in told})
            assert stream.endswith(b"data: [DONE]\n\n")

    asyncio.run(main())


def test_a_document_behind_a_url_is_fetched_by_the_router(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, Site({"/a.pdf": picture(PDF, "application/pdf")}) as site:
            rules = {"enabled": True, "schemes": ["http"], "ports": [site.port], "allow_addresses": LOOPBACK}
            async with router(engine, media=rules) as r:
                status, answer = await r.ask(asking(f"{site.url}/a.pdf"))
                assert 200 == status
                assert HASH == answer["choices"][0]["message"]["annotations"][0]["file"]["hash"]
                assert "Hello from page one" == texts(sent_to(engine)[0]["content"])[2]
            async with router(engine) as r:
                status, answer = await r.ask(asking(f"{site.url}/a.pdf"))
                assert (400, FIELD) == (status, answer["error"]["metadata"]["field"])

    asyncio.run(main())


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (documents.encrypted(), "encrypted with a password"),
        (b"no document", "no PDF, or broken"),
        (pdf(*[page("a")] * 101), "at most 100 pages, this has 101"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_its_field(
    router: StartRouter, document: bytes, problem: str
) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            status, answer = await r.ask(asking(document))
            assert (400, FIELD) == (status, answer["error"]["metadata"]["field"])
            assert problem in answer["error"]["message"]
            assert [] == engine.requests

    asyncio.run(main())


def test_what_was_read_comes_with_the_error_when_the_engines_fail(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.bad_request) as engine, router(engine) as r:
            status, answer = await r.ask(asking(PDF))
            assert 400 == status
            assert HASH == answer["error"]["metadata"]["file_annotations"][0]["file"]["hash"]

    asyncio.run(main())


def test_a_plugin_that_is_not_offered_is_refused(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            user = [{"role": "user", "content": "a"}]
            status, answer = await r.ask({"messages": user, "plugins": [{"id": "web"}]})
            assert 400 == status
            assert "plugins[0].id: the plugin 'web' is not offered" in answer["error"]["message"]

    asyncio.run(main())


def test_answers_that_are_nearly_json_are_mended_for_who_asks(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(said('Here:\n```json\n{"a": 1,}\n```')) as engine, router(engine) as r:
            body = {"messages": [{"role": "user", "content": "a"}], "response_format": {"type": "json_object"}}
            _, plain = await r.ask(body)
            healing = {**body, "plugins": [{"id": "response-healing"}]}
            _, _, healed = await post(r, healing, X_OpenRouter_Metadata="enabled")
            assert plain["choices"][0]["message"]["content"].startswith("Here")
            assert '{"a":1}' == json.loads(healed)["choices"][0]["message"]["content"]
            (step,) = json.loads(healed)["openrouter_metadata"]["pipeline"]
            assert "response_healing" == step["type"]

    asyncio.run(main())


def test_long_conversations_are_made_to_fit_a_small_model(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            turns = [
                {"role": role, "content": f"{n} " + "word " * 800} for n in range(12) for role in ("user", "assistant")
            ]
            body = {"messages": [*turns, {"role": "user", "content": "end"}], "max_tokens": 100}
            status, _, answer = await post(r, body, X_OpenRouter_Metadata="enabled")
            assert 200 == status
            sent = [message["content"].split(" ")[0] for message in sent_to(engine)]
            assert ["0", "end"] == [sent[0], sent[-1]]
            assert len(sent) < 20
            (step,) = json.loads(answer)["openrouter_metadata"]["pipeline"]
            assert "context_compression" == step["type"]
            off = [{"id": "context-compression", "enabled": False}]
            await r.ask({**body, "plugins": off})
            assert 25 == len(sent_to(engine))

    asyncio.run(main())


def test_an_answer_is_given_once_more_out_of_the_cache(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            body = {"messages": [{"role": "user", "content": "a"}]}
            first = await post(r, body, **CACHED)
            again = await post(r, body, **CACHED)
            assert ["MISS", "HIT"] == [headers["x-openrouter-cache-status"] for _, headers, _ in (first, again)]
            old, new = json.loads(first[2]), json.loads(again[2])
            assert old["id"] == again[1]["x-openrouter-cache-source-id"] != new["id"] == again[1]["x-generation-id"]
            assert old["choices"] == new["choices"]
            assert (0, 0) == (new["usage"]["cost"], new["usage"]["total_tokens"])
            assert 1 == len(engine.requests)
            await post(r, body, **CACHED, X_OpenRouter_Cache_Clear="true")
            await post(r, body)
            assert 3 == len(engine.requests)

    asyncio.run(main())


def test_a_stream_is_given_once_more_out_of_the_cache_and_what_failed_is_not(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_stream) as engine, router(engine) as r:
            body = {"stream": True, "messages": [{"role": "user", "content": "a"}]}
            first, again = [await post(r, body, **CACHED) for _ in range(2)]
            assert "HIT" == again[1]["x-openrouter-cache-status"]
            old, new = events(first[2]), events(again[2])
            assert [chunk["choices"] for chunk in old] == [chunk["choices"] for chunk in new]
            assert {again[1]["x-generation-id"]} == {chunk["id"] for chunk in new}
            assert 0 == new[-1]["usage"]["cost"]
            assert again[2].endswith(b"data: [DONE]\n\n")
        async with Engine(faults.truncated_stream) as engine, router(engine) as r:
            for _ in range(2):
                assert "MISS" == (await post(r, body, **CACHED))[1]["x-openrouter-cache-status"]
            assert 2 <= len(engine.requests)

    asyncio.run(main())
