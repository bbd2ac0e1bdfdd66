"""Embeddings and rankings of real engines, through a real router, by the official client where there is one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI

from tests.e2e.tiny_models import Served, served
from tests.integration.conftest import KEY, Router, StartRouter
from tests.integration.conftest import router as router  # the fixture

TEXTS = ["the quick brown fox", "what is the capital of france"]


def models(embedder: Served, ranker: Served) -> list[dict[str, Any]]:
    def model(kind: str, engine: Served) -> dict[str, Any]:
        pool = {
            "name": kind,
            "upstream_model": kind,
            "price": {"prompt": 1.0},
            "discovery": {"kind": "static", "endpoints": [engine.url]},
        }
        return {"id": f"tiny/{kind}", "context_length": 128, "output_modalities": [kind], "pools": [pool]}

    return [model("embeddings", embedder), model("rerank", ranker)]


def asked_directly(engine: Served, path: str, body: dict[str, Any]) -> Any:
    return httpx.post(engine.url + path, json=body, timeout=60.0).json()


async def check_embeddings(r: Router, engine: Served) -> None:
    client = OpenAI(base_url=r.url + "/api/v1", api_key=KEY)
    answer = await asyncio.to_thread(
        client.embeddings.create, model="tiny/embeddings", input=TEXTS, encoding_format="float"
    )
    direct = asked_directly(engine, "/v1/embeddings", {"model": "embeddings", "input": TEXTS})
    assert [each["embedding"] for each in direct["data"]] == [pytest.approx(each.embedding) for each in answer.data]
    assert [0, 1] == [each.index for each in answer.data]
    assert direct["usage"]["prompt_tokens"] == answer.usage.prompt_tokens > 0
    status, said = await r.ask({"model": "tiny/embeddings", "input": TEXTS[0]}, "/api/v1/embeddings")
    assert (200, "tiny/embeddings", "list") == (status, said["model"], said["object"])
    assert said["usage"]["cost"] == pytest.approx(said["usage"]["prompt_tokens"] * 1e-6)
    as_base64 = await asyncio.to_thread(client.embeddings.create, model="tiny/embeddings", input=TEXTS)  # its default
    assert answer.data[0].embedding == pytest.approx(as_base64.data[0].embedding, rel=1e-3)


async def check_ranking(r: Router, engine: Served) -> None:
    asked = {"query": "france", "documents": [TEXTS[0], {"text": TEXTS[1]}, "dog"], "top_n": 2}
    status, said = await r.ask({"model": "tiny/rerank", **asked}, "/api/v1/rerank")
    body = {"model": "rerank", "query": "france", "documents": [*TEXTS, "dog"], "top_n": 2}
    direct = asked_directly(engine, "/v1/rerank", body)
    assert 200 == status
    told = [(each["index"], each["document"]["text"]) for each in direct["results"]]
    assert told == [(each["index"], each["document"]["text"]) for each in said["results"]]
    scores = [each["relevance_score"] for each in said["results"]]
    assert scores == sorted(scores, reverse=True)
    assert said["usage"]["total_tokens"] == direct["usage"]["total_tokens"]


async def check_refusals(r: Router) -> None:
    """Of what the engines cannot do: by the router, before they are asked; and by themselves."""
    status, said = await r.ask(
        {"model": "tiny/embeddings", "messages": [{"role": "user", "content": "hello"}]}, "/api/v1/chat/completions"
    )
    assert (404, {"embeddings": "output_modalities"}) == (
        status,
        said["error"]["metadata"]["availability"]["excluded_by"],
    )
    status, said = await r.ask({"model": "tiny/embeddings", "input": "fox " * 400}, "/api/v1/embeddings")
    assert (400, "context_length_exceeded") == (status, said["error"]["metadata"]["error_type"]), json.dumps(said)


def test_embeddings_and_rankings_are_those_of_the_engines(router: StartRouter, tmp_path: Path) -> None:
    async def main(embedder: Served, ranker: Served) -> None:
        async with router(models=models(embedder, ranker)) as r:
            await check_embeddings(r, embedder)
            await check_ranking(r, ranker)
            await check_refusals(r)

    with served(tmp_path, "embeddings", "rerank") as (embedder, ranker):
        asyncio.run(main(embedder, ranker))
