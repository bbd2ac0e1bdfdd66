"""Answers of embedding and ranking engines."""

import json
from typing import Any

import pytest

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import Identity
from router.protocol.vectors import reshape_embeddings, reshape_ranking

IDENTITY = Identity("gen-1", "author/slug", "local", 7)
PRICE = Price(prompt=2.0, request=1.0)
USAGE = {"prompt_tokens": 3, "total_tokens": 3, "completion_tokens": 0, "prompt_tokens_details": None}
EMBEDDED = {
    "id": "embd-1",
    "object": "list",
    "created": 1,
    "model": "served",
    "data": [{"index": 0, "object": "embedding", "embedding": [0.5, -1e-9]}],
    "usage": USAGE,
}
RANKED = {
    "id": "rerank-1",
    "model": "served",
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
    "results": [{"index": 1, "document": {"text": "b", "multi_modal": None}, "relevance_score": 0.9}],
}


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_vectors_pass_as_they_are_with_usage_and_cost() -> None:
    answer = reshape_embeddings(body(EMBEDDED), IDENTITY, PRICE)
    said = json.loads(answer.body)
    assert ("gen-1", "author/slug", "local", "list") == tuple(said[k] for k in ("id", "model", "provider", "object"))
    assert [{"object": "embedding", "index": 0, "embedding": [0.5, -1e-9]}] == said["data"]
    assert (3, 3, 7.0) == tuple(said["usage"][k] for k in ("prompt_tokens", "total_tokens", "cost"))
    assert (Usage(prompt_tokens=3), None) == (answer.usage, answer.finish_reason)


def test_a_ranking_names_documents_by_their_place_and_text() -> None:
    said = json.loads(reshape_ranking(body(RANKED), IDENTITY, PRICE, explained={"strategy": "direct"}).body)
    assert [{"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}] == said["results"]
    assert (1, 3, 7.0) == tuple(said["usage"][k] for k in ("search_units", "total_tokens", "cost"))
    assert {"strategy": "direct"} == said["openrouter_metadata"]


@pytest.mark.parametrize("reshape", [reshape_embeddings, reshape_ranking])
@pytest.mark.parametrize("answer", [b"", b"{}", body(EMBEDDED | {"data": []}), body(RANKED | {"results": [1]})])
def test_what_is_no_such_answer_is_an_error(reshape: Any, answer: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        reshape(answer, IDENTITY, PRICE)
