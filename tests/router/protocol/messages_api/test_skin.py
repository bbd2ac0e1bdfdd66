"""A chat's answer as Anthropic's clients read it."""

import json
from itertools import pairwise
from typing import Any

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.chunk import CHAT, DONE
from router.protocol.messages_api.skin import MessagesSkin
from tests.router.protocol.messages_api.answering import (
    COMMENT,
    IDENTITY,
    USAGE,
    blocks_of,
    call,
    chunk,
    ending,
    events_of,
    message_of,
    streamed,
)

TEXT = streamed(chunk(content=""), chunk(content="Hel"), chunk(content='lo "you"'), chunk("stop"), ending())


def whole(choice: dict[str, Any], **more: Any) -> dict[str, Any]:
    completion = {
        "id": "gen-1",
        "provider": "local",
        "model": "author/slug",
        "object": "chat.completion",
        "created": 1,
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, **choice}],
        "usage": USAGE,
        **more,
    }
    answer = MessagesSkin().whole(json.dumps(completion).encode())
    Message.model_validate_json(answer, strict=True)
    value: dict[str, Any] = json.loads(answer)
    return value


def said(**message: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": None, "refusal": None, "reasoning": None, **message}}


def test_a_text_is_one_block() -> None:
    assert [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ] == [name for name, _ in events_of(TEXT)]
    message = message_of(TEXT)
    assert [{"type": "text", "text": 'Hello "you"'}] == blocks_of(TEXT)
    assert ("gen-1", "author/slug", "assistant", "end_turn", None) == tuple(
        message[key] for key in ("id", "model", "role", "stop_reason", "stop_sequence")
    )


def test_tokens_are_estimated_first_and_counted_last() -> None:
    events = dict(events_of(TEXT))
    start = events["message_start"]["message"]["usage"]
    assert (7, 0) == (start["input_tokens"], start["output_tokens"])
    usage = events["message_delta"]["usage"]
    counted = {"input_tokens": 4, "cache_read_input_tokens": 6, "cache_creation_input_tokens": 0, "output_tokens": 4}
    assert counted == {key: usage[key] for key in counted}
    assert (USAGE["cost"], False, USAGE["cost_details"]) == (usage["cost"], usage["is_byok"], usage["cost_details"])
    assert counted == {key: message_of(TEXT)["usage"][key] for key in counted}


def test_a_stream_without_usage_keeps_the_estimate() -> None:
    usage = dict(events_of(streamed(chunk("stop", content="a"), DONE)))["message_delta"]["usage"]
    assert (7, 0) == (usage["input_tokens"], usage["output_tokens"])


def test_comments_become_pings() -> None:
    stream = streamed(COMMENT, COMMENT, chunk(content="a"), COMMENT, chunk("stop"), ending())
    assert ["ping", "ping", "message_start"] == [name for name, _ in events_of(stream)][:3]
    assert [{"type": "text", "text": "a"}] == blocks_of(stream)


def test_thinking_is_a_block_of_its_own() -> None:
    stream = streamed(
        chunk(reasoning="Well, "), chunk(reasoning="yes."), chunk(content="Yes", reasoning=""), chunk("stop"), ending()
    )
    assert [{"type": "thinking", "thinking": "Well, yes."}, {"type": "text", "text": "Yes"}] == blocks_of(stream)


def test_a_refusal_is_a_text() -> None:
    stream = streamed(chunk(refusal="No."), chunk("content_filter"), ending("content_filter"))
    assert [{"type": "text", "text": "No."}] == blocks_of(stream)
    assert "refusal" == message_of(stream)["stop_reason"]


def test_an_empty_answer_is_a_message_without_blocks() -> None:
    assert [] == blocks_of(streamed(chunk("stop"), ending()))


@pytest.mark.parametrize(
    ("finish", "matched", "reason", "sequence"),
    [
        ("stop", None, "end_turn", None),
        ("stop", "END", "stop_sequence", "END"),
        ("stop", 2, "end_turn", None),  # a token
        ("length", None, "max_tokens", None),
        ("tool_calls", None, "tool_use", None),
        ("content_filter", None, "refusal", None),
    ],
)
def test_reasons_to_stop_are_anthropics(finish: str, matched: Any, reason: str, sequence: str | None) -> None:
    streams = message_of(streamed(chunk(content="a"), chunk(finish, matched, content=""), ending(finish)))
    wholes = whole({**said(content="a"), "finish_reason": finish, "stop_reason": matched})
    for message in (streams, wholes):
        assert (reason, sequence) == (message["stop_reason"], message["stop_sequence"])


def test_a_call_that_was_demanded_ends_as_a_call() -> None:
    assert "tool_use" == message_of(streamed(call(0, "{}", "f", "1"), chunk("stop"), ending()))["stop_reason"]
    calls = [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]
    assert "tool_use" == whole(said(tool_calls=calls))["stop_reason"]


def test_a_tool_call_is_a_block_whose_input_comes_in_pieces() -> None:
    stream = streamed(
        chunk(content="See:"),
        call(0, "", "weather", "abc123def"),
        call(0, '{"city"'),
        call(0, ': "Ulm"}'),
        chunk("tool_calls"),
        ending("tool_calls"),
    )
    block = {"type": "tool_use", "id": "abc123def", "name": "weather", "input": {"city": "Ulm"}}
    assert [{"type": "text", "text": "See:"}, block] == blocks_of(stream)
    pieces = [value["delta"].get("partial_json") for name, value in events_of(stream) if name == "content_block_delta"]
    assert [None, '{"city"', ': "Ulm"}'] == pieces


def test_metadata_comes_with_the_end() -> None:
    stream = streamed(chunk("stop", content="a"), ending(openrouter_metadata={"attempt": 1}))
    assert {"type": "message_stop", "openrouter_metadata": {"attempt": 1}} == events_of(stream)[-1][1]
    assert {"attempt": 1} == whole(said(content="a"), openrouter_metadata={"attempt": 1})["openrouter_metadata"]
    assert "openrouter_metadata" not in whole(said(content="a"))


def failing(code: int = 429, **metadata: Any) -> bytes:
    error = {"code": code, "message": "Slow down.", "metadata": metadata}
    return IDENTITY.chunk(CHAT, {"error": error, "choices": []}) + DONE


def test_an_error_in_a_stream_is_an_event_and_nothing_follows() -> None:
    stream = streamed(chunk(content="a"), failing(error_type="rate_limit_exceeded"), chunk(content="b"), COMMENT)
    name, event = events_of(stream)[-1]
    assert "error" == name
    assert {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Slow down.", "error_type": "rate_limit_exceeded"},
        "request_id": "gen-1",
    } == event


def test_an_error_may_be_all_there_is() -> None:
    assert ["ping", "error"] == [name for name, _ in events_of(streamed(COMMENT, failing(502)))]
    [(_, event)] = events_of(streamed(failing(502)))
    assert ("api_error", "unmapped") == (event["error"]["type"], event["error"]["error_type"])
    broken = IDENTITY.chunk(CHAT, {"error": {"code": 502, "message": "?"}, "openrouter_metadata": {"attempt": 1}})
    assert {"attempt": 1} == events_of(streamed(broken))[0][1]["openrouter_metadata"]


def test_an_answer_that_ends_as_an_error_is_one() -> None:
    events = events_of(streamed(chunk(content="a"), chunk("error"), ending("error")))
    assert ("error", "api_error") == (events[-1][0], events[-1][1]["error"]["type"])
    assert "error" == events_of(streamed(DONE))[0][0]


def test_a_whole_answer_is_a_message() -> None:
    calls = [
        {"id": "abc123def", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}},
        {"type": "function", "function": {"name": "nothing", "arguments": ""}},
        {"id": "c", "type": "function", "function": {"name": "odd", "arguments": "[1"}},
        {"id": "d"},
    ]
    message = whole({**said(content="Hello", reasoning="Hm.", tool_calls=calls), "finish_reason": "tool_calls"})
    direct = {"type": "direct"}
    assert [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Hello", "citations": None},
        {"type": "tool_use", "id": "abc123def", "name": "weather", "input": {"city": "Ulm"}, "caller": direct},
        {"type": "tool_use", "id": "toolu_gen-1_1", "name": "nothing", "input": {}, "caller": direct},
        {"type": "tool_use", "id": "c", "name": "odd", "input": {"arguments": "[1"}, "caller": direct},
        {"type": "tool_use", "id": "d", "name": "", "input": {}, "caller": direct},
    ] == message["content"]
    assert ("gen-1", "message", "author/slug", "local") == tuple(
        message[key] for key in ("id", "type", "model", "provider")
    )
    assert (4, 6, USAGE["cost"]) == tuple(
        message["usage"][key] for key in ("input_tokens", "cache_read_input_tokens", "cost")
    )


def test_whole_answers_may_be_empty_or_without_usage() -> None:
    assert [] == whole(said(content=""))["content"]
    assert [{"type": "text", "text": "No.", "citations": None}] == whole(said(refusal="No."))["content"]
    assert 0 == whole(said(content="a"), usage=None)["usage"]["input_tokens"]
    assert None is whole({}, choices=[])["stop_reason"]


def test_thinking_tokens_are_told() -> None:
    usage = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 3}}
    assert {"thinking_tokens": 3} == whole(said(content="a"), usage=usage)["usage"]["output_tokens_details"]


LONG = b"".join(
    [
        COMMENT,
        chunk(reasoning="Hm ü."),
        chunk(content="Hello ☃"),
        COMMENT,
        call(0, '{"a":', "f", "1"),
        call(1, '{"b":', "g", "2"),
        call(0, "1}"),
        call(1, "2}"),
        chunk("tool_calls"),
        ending("tool_calls"),
    ]
)


@given(st.lists(st.integers(0, len(LONG))))
def test_wherever_a_stream_is_cut_its_events_are_the_same(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(LONG)]
    pieces = [LONG[start:end] for start, end in pairwise(places)]
    assert streamed(LONG) == streamed(*pieces)
