"""Anthropic's messages as chat completions."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import Identity
from router.protocol.dialects.anthropic_answer import whole
from router.protocol.reshape import Answer, reshape

IDENTITY = Identity("gen-1", "a/b", "Claude", 1)
TEXT = {"type": "text", "text": "Hel"}


def answer(*content: dict[str, Any], reason: str | None = "end_turn", **usage: int) -> Answer:
    """What a caller gets in the end."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "theirs", "content": content}
    body = whole(json.dumps({**message, "stop_reason": reason, "stop_sequence": None, "usage": usage}).encode())
    return reshape(body, IDENTITY, Price(1.0, 2.0, cached_prompt=0.5))


def test_a_text_with_its_usage_and_both_reasons() -> None:
    told = answer(TEXT, {"type": "text", "text": "lo"}, input_tokens=3, cache_read_input_tokens=4, output_tokens=2)
    (choice,) = json.loads(told.body)["choices"]
    assert ("Hello", "stop", "end_turn") == (
        choice["message"]["content"], choice["finish_reason"], choice["native_finish_reason"],
    )  # fmt: skip
    assert Usage(7, 2, cached_tokens=4) == told.usage
    assert 9.0 == json.loads(told.body)["usage"]["cost"]


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("news", "error"),
        (None, None),
    ],
)
def test_reasons_are_openrouters(native: str | None, reason: str | None) -> None:
    assert reason == answer(TEXT, reason=native).finish_reason


def test_calls_and_thoughts() -> None:
    told = answer(
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        {"type": "server_tool_use"},
        reason="tool_use",
        cache_creation_input_tokens=5,
    )
    said = json.loads(told.body)["choices"][0]["message"]
    call = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    assert (None, [call], "Hm") == (said["content"], said["tool_calls"], said["reasoning"])
    assert ["reasoning.text", "reasoning.encrypted"] == [each["type"] for each in said["reasoning_details"]]
    assert ("s", "x") == (said["reasoning_details"][0]["signature"], said["reasoning_details"][1]["data"])
    assert 5 == told.usage.prompt_tokens


def test_an_answer_that_says_nothing_is_empty_and_not_null() -> None:
    assert "" == json.loads(answer().body)["choices"][0]["message"]["content"]


@given(raw=st.binary())
def test_what_is_no_message_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"\A."):
        whole(raw)
