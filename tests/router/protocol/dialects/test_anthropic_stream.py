"""Anthropic's streams as vLLM would have written them, and what becomes of them in the splicer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Price
from router.policy.outcome import Outcome, StreamBroken, Usage, Verdict
from router.protocol.chunk import Identity
from router.protocol.dialects.anthropic_stream import AnthropicStream
from router.protocol.splice import Splicer

IDENTITY = Identity("gen-1", "a/b", "Claude", 1)


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def start(index: int = 0, **block: Any) -> bytes:
    return event("content_block_start", index=index, content_block={"type": "text", "text": "", **block})


def delta(kind: str, index: int = 0, **fields: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def end(index: int = 0) -> bytes:
    return event("content_block_stop", index=index)


USAGE = {"input_tokens": 5, "cache_read_input_tokens": 2, "cache_creation_input_tokens": None, "output_tokens": 1}
BEGIN = event("message_start", message={"id": "msg_1", "role": "assistant", "content": [], "usage": USAGE})
PING = event("ping")
STOP = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3}) + event("message_stop")
HELLO = BEGIN + start() + PING + delta("text_delta", text="Hel") + delta("text_delta", text='"lö"') + end() + STOP


def spliced(data: bytes) -> tuple[list[Any], Splicer]:
    """The chunks that a caller gets, without the usage chunk and the end."""
    splicer = Splicer(IDENTITY, Price(1.0, 2.0), prompt_tokens=50)
    told = splicer.feed(AnthropicStream().feed(data)).decode()
    chunks = [json.loads(line[6:]) for line in told.split("\n\n") if line.startswith("data: {")]
    return chunks, splicer


def deltas(data: bytes) -> list[Any]:
    chunks, splicer = spliced(data)
    assert splicer.failure is None
    return [chunk["choices"][0]["delta"] for chunk in chunks[:-2]]


def test_a_text_ends_with_its_usage_and_both_reasons() -> None:
    chunks, splicer = spliced(HELLO)
    splicer.finish()
    assert 'Hel"lö"' == "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
    assert ("stop", "end_turn", Usage(7, 3, cached_tokens=2)) == (
        splicer.finish_reason, splicer.native_finish_reason, splicer.usage,
    )  # fmt: skip
    assert 7 + 2 * 3 == chunks[-1]["usage"]["cost"]


def test_pieces_of_text_are_written_so_that_they_need_not_be_parsed_again() -> None:
    stream, splicer = AnthropicStream(), Splicer(IDENTITY, Price())
    splicer.feed(stream.feed(BEGIN + delta("text_delta", text="a")))
    assert splicer._layout is not None
    chunk = stream.feed(delta("text_delta", text="\\u00e9"))
    assert splicer._layout.exchange(chunk, is_whole=True) is not None


def test_nothing_is_given_out_before_the_first_block() -> None:
    stream = AnthropicStream()
    assert b"" == stream.feed(BEGIN + PING)
    assert b"" != stream.feed(start())


@given(cuts=st.lists(st.integers(0, len(HELLO)), max_size=8))
def test_how_it_was_cut_does_not_matter(cuts: list[int]) -> None:
    stream, at, told = AnthropicStream(), 0, b""
    for cut in [*sorted(cuts), len(HELLO)]:
        told += stream.feed(HELLO[at:cut])
        at = cut
    assert AnthropicStream().feed(HELLO) == told


def test_calls_come_in_pieces_with_their_own_index() -> None:
    call = start(1, type="tool_use", id="toolu_1", name="f") + delta("input_json_delta", 1, partial_json="")
    call += (
        delta("input_json_delta", 1, partial_json='{"a":') + delta("input_json_delta", 1, partial_json="1}") + end(1)
    )
    empty = start(2, type="tool_use", id="toolu_2", name="g") + end(2)
    stray = delta("input_json_delta", 7, partial_json="x")
    given = deltas(BEGIN + start(text="Ok") + end() + call + empty + stray + STOP)
    assert "Ok" == given[1]["content"]
    calls = [each["tool_calls"][0] for each in given[2:]]
    assert [
        {"index": 0, "id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"a":'}},
        {"index": 0, "function": {"arguments": "1}"}},
        {"index": 1, "id": "toolu_2", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    ] == calls


def test_thoughts_come_with_what_proves_them() -> None:
    thought = start(type="thinking", thinking="") + delta("thinking_delta", thinking="Hm")
    thought += delta("signature_delta", signature="s") + end() + start(1, type="redacted_thinking", data="x") + end(1)
    _, hm, proof, hidden = deltas(BEGIN + thought + delta("citations_delta", citation={}) + STOP)
    style = {"format": "anthropic-claude-v1"}
    assert "Hm" == hm["reasoning"]
    assert [{"type": "reasoning.text", "text": "Hm", **style, "index": 0}] == hm["reasoning_details"]
    assert [{"type": "reasoning.text", "signature": "s", **style, "index": 0}] == proof["reasoning_details"]
    assert [{"type": "reasoning.encrypted", "data": "x", **style, "index": 1}] == hidden["reasoning_details"]


@pytest.mark.parametrize(
    ("kind", "verdict", "status"),
    [
        ("overloaded_error", Verdict.OVERLOADED, 529),
        ("rate_limit_error", Verdict.RATE_LIMITED, 429),
        ("invalid_request_error", Verdict.REJECTED, 400),
        ("authentication_error", Verdict.UNAVAILABLE, 401),
        ("brand_new_error", Verdict.UNAVAILABLE, 500),
    ],
)
def test_an_error_before_the_first_token_says_whose_fault_it_is(kind: str, verdict: Verdict, status: int) -> None:
    chunks, splicer = spliced(BEGIN + event("error", error={"type": kind, "message": "Oh"}) + HELLO)
    assert [] == chunks
    assert Outcome(verdict, status, "Oh") == splicer.failure


def test_an_error_after_it_breaks_the_stream() -> None:
    _, splicer = spliced(BEGIN + delta("text_delta", text="a") + event("error", error={"type": "api_error"}))
    assert splicer.failure is not None
    assert (Verdict.BROKEN, 500) == (splicer.failure.verdict, splicer.failure.status)


def test_a_stream_that_is_cut_off_does_not_end_well() -> None:
    _, splicer = spliced(BEGIN + delta("text_delta", text="a"))
    with pytest.raises(StreamBroken, match="before its end was announced"):
        splicer.finish()


@pytest.mark.parametrize(
    "data",
    [
        b"data: {nonsense}\n\n",
        b"data: [1]\n\n",
        b'data: {"type":"message_start","message":3}\n\n',
        b"data: " + b"x" * 2_000_000,
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_provider(data: bytes) -> None:
    _, splicer = spliced(data)
    assert splicer.failure is not None
    assert (Verdict.UNAVAILABLE, 502) == (splicer.failure.verdict, splicer.failure.status)


def test_what_is_new_is_passed_over() -> None:
    news = event("news") + event("content_block_delta") + event("message_start") + event("content_block_start")
    news += event("message_delta") + event("error") + end(5) + b": comment\n\n" + start(9, type="image")
    news += event("message_delta", delta={"stop_reason": None})
    chunks, splicer = spliced(news + HELLO)
    assert splicer.is_done
    assert 'Hel"lö"' == "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)


@given(raw=st.binary())
def test_no_bytes_raise_anything(raw: bytes) -> None:
    AnthropicStream().feed(raw + b"\n\n")
