"""Bodies of `/embeddings`."""

import json
from typing import Any

import pytest

from router.policy.call import Caller
from router.policy.catalog import Pool
from router.protocol import kinds
from router.protocol.embeddings import parse_embeddings
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import Request

POOL = Pool("p", "author/slug", "served")


def parse(limits: Limits | None = None, caller: Caller | None = None, **fields: Any) -> Request:
    body = json.dumps({"model": "author/slug", **fields}).encode()
    return parse_embeddings(body, limits or Limits(), caller=caller or Caller())


def sent(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.upstream_body(POOL, generation_id="gen-1"))
    return body


def test_the_engine_gets_the_input_as_it_came() -> None:
    request = parse(input=["ab", 'data:image/png;base64,AAAA"'], dimensions=8, encoding_format="base64", user="u")
    assert kinds.EMBEDDINGS is request.kind
    assert {
        "model": "served",
        "request_id": "gen-1",
        "input": ["ab", 'data:image/png;base64,AAAA"'],
        "dimensions": 8,
        "encoding_format": "base64",
    } == sent(request)


def test_policies_know_that_vectors_are_asked_for_and_how_long_the_input_is() -> None:
    call = parse(input="a word or two").call
    assert ("embeddings", 1, False) == (call.output, call.prompts, call.stream)
    assert call.prompt_tokens > 0
    assert 5 == parse(input=[[1, 2], [3, 4, 5]]).call.prompt_tokens


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    request = parse(input=[{"content": parts}, {"content": parts[:1]}])
    assert ["a\nb", "a"] == sent(request)["input"]


def test_a_tenants_salt_goes_to_the_engine() -> None:
    assert "pepper" == sent(parse(caller=Caller(salt="pepper"), input="a"))["cache_salt"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": [1, "a"]}, "input"),
        ({"input": [{"content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]}, "input"),
        ({"input": ["a"] * 4}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "encoding_format": "bytes"}, "encoding_format"),
        ({"input": "a", "model": ""}, "model"),
        ({"input": "a", "priority": 1}, "priority"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(Limits(embeddings=3), **fields)
    assert (400, field) == (refused.value.status, refused.value.field)
