"""Bodies of `/rerank`."""

import json
from typing import Any

import pytest

from router.policy.catalog import Pool
from router.protocol import kinds
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import Request
from router.protocol.rerank import parse_rerank

POOL = Pool("p", "author/slug", "served")


def parse(**fields: Any) -> Request:
    return parse_rerank(json.dumps({"model": "author/slug", **fields}).encode(), Limits(documents=3))


def test_the_engine_gets_the_query_and_the_texts_of_the_documents() -> None:
    request = parse(query="q", documents=["a", {"text": "b"}], top_n=1)
    assert kinds.RERANK is request.kind
    assert {
        "model": "served",
        "request_id": "gen-1",
        "query": "q",
        "documents": ["a", "b"],
        "top_n": 1,
    } == json.loads(request.upstream_body(POOL, generation_id="gen-1"))
    assert ("rerank", 2) == (request.call.output, request.call.prompts)
    assert "query" not in request.router_fields


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"documents": ["a"]}, "query"),
        ({"query": "", "documents": ["a"]}, "query"),
        ({"query": 1, "documents": ["a"]}, "query"),
        ({"query": "q"}, "documents"),
        ({"query": "q", "documents": []}, "documents"),
        ({"query": "q", "documents": ["a"] * 4}, "documents"),
        ({"query": "q", "documents": [{"image": "data:image/png;base64,AAAA"}]}, "documents"),
        ({"query": "q", "documents": ["a"], "top_n": 0}, "top_n"),
    ],
)
def test_what_cannot_be_ranked_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(**fields)
    assert (400, field) == (refused.value.status, refused.value.field)
