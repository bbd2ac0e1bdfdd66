"""Prompts, and what is embedded or ranked, seen through filters."""

import json
from typing import Any

import pytest

from router.policy.catalog import Pool
from router.protocol.embeddings import parse_embeddings
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.plugins.builtin_filters import AnyFilter, BuiltinFilter
from router.protocol.plugins.content_filter import Action, ContentFilter
from router.protocol.plugins.filter_prompt import filter_prompt
from router.protocol.request import Request, parse_completion
from router.protocol.rerank import parse_rerank

POOL = Pool("p", "m", "served")
MAIL = "to a@b.example"
REDACT, BLOCK, FLAG = (BuiltinFilter("email", action) for action in (Action.REDACT, Action.BLOCK, Action.FLAG))


def seen(value: Any, *filters: AnyFilter) -> tuple[Any, list[tuple[str, int]]]:
    raw, findings = filter_prompt(json.dumps(value).encode(), filters, "prompt")
    return json.loads(raw), [(finding.field, finding.count) for finding in findings]


def test_texts_are_redacted_where_something_is_found() -> None:
    assert ("to [EMAIL]", [("prompt", 1)]) == seen(MAIL, REDACT)
    assert (["a", "to [EMAIL]"], [("prompt[1]", 1)]) == seen(["a", MAIL], REDACT)
    assert (MAIL, [("prompt", 1)]) == seen(MAIL, FLAG)
    raw = b'"t\\u006f"'
    assert filter_prompt(raw, [REDACT], "prompt") == (raw, ())
    assert filter_prompt(raw, [], "prompt")[0] is raw


def test_what_is_blocked_is_refused_with_its_place() -> None:
    with pytest.raises(ApiError) as caught:
        seen(["a", MAIL], BLOCK)
    told = (caught.value.status, caught.value.field, caught.value.metadata)
    assert (403, "prompt[1]", {"patterns": ["email"]}) == told


@pytest.mark.parametrize("ids", [[1, 2], [[1], [2, 3]]])
def test_token_ids_are_refused_where_they_would_go_round_a_filter(ids: list[Any]) -> None:
    assert (ids, []) == seen(ids, FLAG)
    assert (ids, []) == seen(ids)
    for each in (REDACT, ContentFilter("a")):
        with pytest.raises(ApiError, match=r"Request blocked: prompt: .* token ids") as caught:
            seen(ids, FLAG, each)
        assert 403 == caught.value.status


PARSERS = [
    (parse_completion, {"prompt": MAIL}, {"prompt": "to [EMAIL]"}),
    (parse_completion, {"prompt": ["x", MAIL]}, {"prompt": ["x", "to [EMAIL]"]}),
    (parse_embeddings, {"input": [MAIL]}, {"input": ["to [EMAIL]"]}),
    (parse_embeddings, {"input": [{"content": [{"type": "text", "text": MAIL}]}]}, {"input": ["to [EMAIL]"]}),
    (parse_rerank, {"query": MAIL, "documents": ["d"]}, {"query": "to [EMAIL]", "documents": ["d"]}),
    (parse_rerank, {"query": "q", "documents": [{"text": MAIL}]}, {"query": "q", "documents": ["to [EMAIL]"]}),
]


@pytest.mark.parametrize(("parse", "fields", "written"), PARSERS)
def test_neither_engines_nor_providers_get_what_is_redacted(
    parse: Any, fields: dict[str, Any], written: dict[str, Any]
) -> None:
    def read(*filters: AnyFilter) -> Request:
        request: Request = parse(json.dumps({"model": "m", **fields}).encode(), Limits(), filters=filters)
        return request

    request = read(REDACT)
    body = json.loads(request.upstream_body(POOL, generation_id="gen-1"))
    assert written == {name: body[name] for name in written}
    assert request.source is not None
    assert written == {name: request.source.value(name) for name in written}
    assert request.prepared is not None
    assert ["email"] == [step.name for step in request.prepared.steps]
    assert request.prepared.dress(None, stream=False) is None
    flagged = read(FLAG)
    assert flagged.source is not None
    assert fields == {name: flagged.source.value(name) for name in fields}
    assert read(ContentFilter("zzz")).prepared is None
    with pytest.raises(ApiError, match="Request blocked"):
        read(BLOCK)


def test_a_text_that_looks_like_an_image_is_looked_at_as_well() -> None:
    raw = json.dumps({"model": "m", "prompt": "data:image/ a@b.example"}).encode()
    request = parse_completion(raw, Limits(), filters=[REDACT])
    assert "data:image/ [EMAIL]" == json.loads(request.upstream_body(POOL, generation_id="g"))["prompt"]
    same = parse_completion(json.dumps({"model": "m", "prompt": "data:image/ [EMAIL]"}).encode(), Limits())
    assert same.call == request.call
