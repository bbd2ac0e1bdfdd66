"""Streams of an engine, as clients see them."""

import json
from typing import Any

import pytest

from router.policy.catalog import Price
from router.policy.outcome import Outcome, StreamBroken, Usage, Verdict
from router.protocol.chunk import Identity
from router.protocol.errors import ApiError
from router.protocol.splice import Splicer
from tests.router.protocol import engine_chunks as engine

IDENTITY = Identity("gen-1-abc", "author/slug", "Local", 1_700_000_000)
HEAD = {"id": "gen-1-abc", "provider": "Local", "model": "author/slug"}


def splicer(**options: Any) -> Splicer:
    return Splicer(IDENTITY, Price(1.0, 2.0), **options)


def chunks(stream: bytes) -> list[Any]:
    """The data of each event, JSON decoded where it is JSON."""
    events = stream.decode().split("\n\n")
    assert "" == events.pop()
    return [json.loads(event[6:]) if event[6:] != "[DONE]" else event[6:] for event in events]


def choice(content: str, reason: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {"role": "assistant", "content": content}
    return {
        "index": 0,
        "delta": delta,
        "logprobs": None,
        "finish_reason": reason,
        "native_finish_reason": reason,
        **more,
    }


def chunk(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**HEAD, "object": "chat.completion.chunk", "created": 1_700_000_000, "choices": [*choices], **more}


def test_a_whole_stream_comes_out_in_openrouters_words() -> None:
    s = splicer()
    stream = s.feed(engine.role()) + s.feed(engine.token("Hi")) + s.feed(engine.finish(text="!"))
    stream += s.feed(engine.usage(5, 2, cached=4, fingerprint="fp")) + s.feed(engine.DONE)
    s.finish()
    *said, last, done = chunks(stream)
    assert [chunk(choice("")), chunk(choice("Hi")), chunk(choice("!", "stop"))] == said
    usage = last.pop("usage")
    assert chunk(choice("", "stop"), system_fingerprint="fp") == last
    assert (5, 2, 7, 9.0) == tuple(usage[k] for k in ("prompt_tokens", "completion_tokens", "total_tokens", "cost"))
    assert "[DONE]" == done
    assert s.is_done
    assert Usage(5, 2, cached_tokens=4) == s.usage
    assert ("stop", "stop") == (s.finish_reason, s.native_finish_reason)


@pytest.mark.parametrize("text", ['"', "\\", '\\"', '"}],"usage":{}', "é\n\n\r", "data: {", "}\\", "😀", "a" * 5_000])
def test_no_text_is_changed_on_the_way(text: str) -> None:
    s = splicer()
    s.feed(engine.role())
    assert [chunk(choice(text))] == chunks(s.feed(engine.token(text)))


def test_the_bytes_of_a_text_are_passed_untouched() -> None:
    s = splicer()
    s.feed(engine.role())
    unusual = engine.token("X").replace(b'"X"', rb'"\u00e9\/\u0041\""')
    assert rb'"content":"\u00e9\/\u0041\""' in s.feed(unusual)


def test_several_chunks_in_one_buffer_leave_together() -> None:
    s = splicer()
    stream = s.feed(engine.role() + engine.token("a") + engine.token("b") + engine.finish())
    assert ["", "a", "b", ""] == [c["choices"][0]["delta"]["content"] for c in chunks(stream)]
    assert 2 == s.tokens_seen


def test_an_ordinary_chunk_costs_no_json_but_looks_the_same_as_a_parsed_one() -> None:
    fast, slow = splicer(), splicer()
    fast.feed(engine.role())
    slow.feed(engine.role())
    parsed = slow.feed(engine.token("x").replace(b"data: ", b"data:"))  # unlike vLLM's, so it is parsed
    assert parsed == fast.feed(engine.token("x"))


def test_tool_calls_and_logprobs_pass_with_a_role() -> None:
    s = splicer()
    s.feed(engine.role())
    (said,) = chunks(s.feed(engine.tool_call('{"a":"é"}')))
    calls = [{"index": 0, "function": {"arguments": '{"a":"é"}'}}]
    assert {"role": "assistant", "tool_calls": calls} == said["choices"][0]["delta"]
    logprobs = {"content": [{"token": "x", "logprob": -0.5, "bytes": [120], "top_logprobs": []}]}
    data = engine.token("x").replace(b'"logprobs":null', b'"logprobs":' + json.dumps(logprobs).encode())
    (said,) = chunks(s.feed(data))
    assert chunk(choice("x", logprobs=logprobs)) == said
    assert 2 == s.tokens_seen


def test_completions_have_text_instead_of_deltas() -> None:
    s = splicer()
    stream = s.feed(engine.text_token("a")) + s.feed(engine.text_token("b")) + s.feed(engine.text_finish())
    stream += s.feed(engine.usage()) + s.feed(engine.DONE)
    *said, last, _ = chunks(stream)
    assert ["text_completion"] * 4 == [c["object"] for c in [*said, last]]
    nothing = {"logprobs": None, "finish_reason": None, "native_finish_reason": None}
    assert [{"index": 0, "text": text, **nothing} for text in "ab"] == [c["choices"][0] for c in said[:2]]
    assert ("", "length") == (last["choices"][0]["text"], last["choices"][0]["finish_reason"])
    assert 2 == s.tokens_seen


def test_several_choices_keep_their_index_and_all_must_finish() -> None:
    s = splicer(choices=2)
    stream = s.feed(engine.role(0) + engine.role(1) + engine.token("a", 0) + engine.token("b", 1))
    stream += s.feed(engine.finish("stop", 0))
    assert [0, 1, 0, 1, 0] == [c["choices"][0]["index"] for c in chunks(stream)]
    assert b"" == s.feed(engine.usage() + engine.DONE)
    assert s.failure is not None
    assert "the stream ended without a finish reason" == s.failure.detail


def test_two_choices_that_finish_differently_end_well() -> None:
    s = splicer(choices=2)
    s.feed(engine.role(0) + engine.role(1) + engine.finish("length", 1) + engine.finish("stop", 0))
    *_, last, done = chunks(s.feed(engine.usage() + engine.DONE))
    assert ("stop", "[DONE]") == (last["choices"][0]["finish_reason"], done)
    s.finish()


def test_the_engines_own_reasons_are_kept_beside_the_normalised_ones() -> None:
    s = splicer()
    (said,) = chunks(s.feed(engine.finish("abort")))
    assert ("error", "abort") == (said["choices"][0]["finish_reason"], said["choices"][0]["native_finish_reason"])
    s = splicer()
    (said,) = chunks(s.feed(engine.finish("stop", stop_reason='"END"')))
    assert "END" == said["choices"][0]["stop_reason"]


def test_usage_is_estimated_when_the_engine_never_tells() -> None:
    s = splicer(prompt_tokens=40)
    s.feed(engine.role() + engine.token("a") + engine.token("b"))
    assert Usage(40, 2, is_exact=False) == s.usage
    assert s.finish_reason is None
    s.feed(engine.finish())
    *_, last, _ = chunks(s.feed(engine.DONE))
    assert (40, 2) == (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"])


def test_an_engines_comments_are_swallowed() -> None:
    s = splicer()
    assert b"" == s.feed(engine.KEEP_ALIVE)
    s.feed(engine.role())
    assert b"" == s.feed(engine.KEEP_ALIVE)
    assert s.failure is None


def test_an_empty_delta_gets_a_role_and_an_unindexed_choice_is_the_first() -> None:
    s = splicer()
    s.feed(engine.role())
    (said,) = chunks(s.feed(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'))
    assert {"role": "assistant", "content": ""} == said["choices"][0]["delta"]
    assert "stop" == s.finish_reason


def test_what_comes_after_done_is_ignored() -> None:
    s = splicer()
    end = engine.role() + engine.finish() + engine.DONE
    alone = s.feed(end)
    assert b"" == s.feed(engine.token("late"))
    assert alone == splicer().feed(end + engine.token("late") + engine.DONE)


def broken_by(data: bytes) -> Outcome:
    """The failure after a first token and then `data`."""
    s = splicer()
    s.feed(engine.role() + engine.token("a"))
    assert b"" == s.feed(data)
    assert s.failure is not None
    assert b"" == s.feed(engine.token("more"))
    with pytest.raises(StreamBroken) as caught:
        s.finish()
    assert s.failure == caught.value.outcome
    return s.failure


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"data: {nonsense}\n\n", "an event of the stream could not be read: JSON is malformed"),
        (b"data: \xff\n\n", "an event of the stream could not be read"),
        (b'data: {"object":"\xff"}\n\n', "an event of the stream could not be read: not valid UTF-8"),
        (b'data: {"id":"x"}\n\n', "an event of the stream has no choices"),
        (b'data: {"choices":[1]}\n\n', "an event of the stream could not be read: Expected `object`, got `int`"),
        (b"data: [DONE]\n\n", "the stream ended without a finish reason"),
        (b"data: " + b"x" * 2_000_000, "an event of the stream is longer than 1048576 bytes"),
        (
            b'data: {"choices":[{"a":' + b"[" * 100_000 + b"\n\n",
            "an event of the stream could not be read: nested too deeply",
        ),
    ],
)
def test_what_is_no_chunk_breaks_the_stream(data: bytes, detail: str) -> None:
    failure = broken_by(data)
    assert Verdict.BROKEN == failure.verdict
    assert failure.detail.startswith(detail)


def test_an_error_of_the_engine_after_the_first_token_breaks_the_stream() -> None:
    assert Outcome(Verdict.BROKEN, 500, "engine at <address> died") == broken_by(
        engine.error("engine at 10.0.0.3:8000 died")
    )


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (engine.error("no grammar", 400, "BadRequestError"), Outcome(Verdict.REJECTED, 400, "no grammar")),
        (engine.error("died", 500), Outcome(Verdict.UNAVAILABLE, 500, "died")),
        (b'data: {"error":"died"}\n\n', Outcome(Verdict.UNAVAILABLE, None, "died")),
    ],
)
def test_an_error_in_place_of_a_first_token_gives_nothing_out_and_says_whose_fault_it_is(
    data: bytes, outcome: Outcome
) -> None:
    s = splicer()
    assert b"" == s.feed(data + engine.DONE)
    assert outcome == s.failure


def test_a_stream_that_stops_before_its_end_is_broken() -> None:
    s = splicer()
    s.feed(engine.role() + engine.token("a") + engine.finish() + engine.usage())
    with pytest.raises(StreamBroken, match="ended before its end was announced"):
        s.finish()


def test_an_error_event_is_a_chunk_that_ends_the_stream() -> None:
    s = splicer()
    s.feed(engine.role())
    error, done = chunks(
        s.error_event(ApiError("provider_unavailable", "It broke", metadata={"provider_name": "Local"}))
    )
    ended = choice("", "error")
    del ended["logprobs"]
    metadata = {"error_type": "provider_unavailable", "provider_name": "Local"}
    assert chunk(ended, error={"code": 502, "message": "It broke", "metadata": metadata}) == error
    assert "[DONE]" == done


def test_an_engine_that_is_not_vllm_is_parsed_throughout() -> None:
    s = splicer()
    other = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"x":1}\n\n'
    stream = s.feed(other) + s.feed(other.replace(b'"a"', b'"b"'))
    assert ["a", "b"] == [c["choices"][0]["delta"]["content"] for c in chunks(stream)]
