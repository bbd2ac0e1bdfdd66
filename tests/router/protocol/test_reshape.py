"""Whole answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import Identity
from router.protocol.reshape import reshape

IDENTITY = Identity("gen-1-abc", "author/slug", "Local", 1_700_000_000)
PRICE = Price(1.0, 2.0)


def body(*choices: dict[str, Any], kind: str = "chat.completion", **more: Any) -> bytes:
    """As vLLM 0.29 answers: every field of its models, null or not."""
    nulls = dict.fromkeys(["prompt_logprobs", "prompt_token_ids", "prompt_text", "kv_transfer_params", "metrics"])
    usage = {"prompt_tokens": 5, "total_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": None}
    head = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "served", "choices": choices}
    return json.dumps(
        {**head, "service_tier": None, "system_fingerprint": None, "usage": usage, **nulls, **more}
    ).encode()


def message(content: str | None, **more: Any) -> dict[str, Any]:
    nulls = dict.fromkeys(["refusal", "annotations", "audio", "function_call", "reasoning"])
    return {"role": "assistant", "content": content, **nulls, **more}


def choice(said: dict[str, Any], reason: str | None = "stop", index: int = 0, **more: Any) -> dict[str, Any]:
    nulls = dict.fromkeys(["logprobs", "stop_reason", "token_ids", "routed_experts"])
    return {**nulls, "index": index, "message": said, "finish_reason": reason, **more}


def test_an_answer_has_openrouters_fields_and_none_of_the_engines() -> None:
    answer = reshape(body(choice(message("Hallo é"))), IDENTITY, PRICE)
    shown = json.loads(answer.body)
    assert 9.0 == shown.pop("usage")["cost"]
    said = {"role": "assistant", "content": "Hallo é", "refusal": None, "reasoning": None}
    reasons = {"finish_reason": "stop", "native_finish_reason": "stop"}
    assert {
        "id": "gen-1-abc",
        "provider": "Local",
        "model": "author/slug",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "service_tier": None,
        "system_fingerprint": None,
        "choices": [{"index": 0, **reasons, "logprobs": None, "message": said}],
    } == shown
    assert (Usage(5, 2), "stop", "stop") == (answer.usage, answer.finish_reason, answer.native_finish_reason)


def test_tool_calls_logprobs_and_stop_reasons_pass() -> None:
    calls = [{"id": "abcdefghi", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]
    logprobs = {"content": [{"token": "x", "logprob": -0.25, "bytes": None, "top_logprobs": []}]}
    whole = choice(message(None, tool_calls=calls), "tool_calls", logprobs=logprobs, stop_reason="END")
    (shown,) = json.loads(reshape(body(whole), IDENTITY, PRICE).body)["choices"]
    assert (calls, None) == (shown["message"]["tool_calls"], shown["message"]["content"])
    assert ("tool_calls", logprobs, "END") == (shown["finish_reason"], shown["logprobs"], shown["stop_reason"])


def test_several_choices_stay_apart_and_unknown_reasons_are_errors() -> None:
    answer = reshape(body(choice(message("a"), "abort"), choice(message("b"), None, 1)), IDENTITY, PRICE)
    shown = json.loads(answer.body)["choices"]
    assert [(0, "a", "error", "abort"), (1, "b", None, None)] == [
        (c["index"], c["message"]["content"], c["finish_reason"], c["native_finish_reason"]) for c in shown
    ]
    assert ("error", "abort") == (answer.finish_reason, answer.native_finish_reason)
    assert reshape(body(choice(message("b"), None)), IDENTITY, PRICE).finish_reason is None


def test_completions_have_a_text() -> None:
    whole = {"index": 0, "text": "abc", "logprobs": None, "finish_reason": "length", "stop_reason": None}
    shown = json.loads(reshape(body(whole, kind="text_completion"), IDENTITY, PRICE).body)
    assert ("text_completion", "abc") == (shown["object"], shown["choices"][0]["text"])


@pytest.mark.parametrize("raw", [b"", b"<html>", b"{}", b"[]", b'{"object":"x","choices":[],"usage":{}}', b"\xff"])
def test_what_is_no_completion_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"\A."):
        reshape(raw, IDENTITY, PRICE)


@given(raw=st.binary())
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"\A."):
        reshape(raw, IDENTITY, PRICE)
