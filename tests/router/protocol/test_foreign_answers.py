"""What other providers than our engines send in OpenAI's shape, as clients see it."""

import json
from typing import Any

import pytest

from router.policy.catalog import Price
from router.policy.outcome import Outcome, Usage, Verdict
from router.protocol.chunk import Identity
from router.protocol.reshape import Answer, reshape
from router.protocol.splice import Splicer

IDENTITY = Identity("gen-1", "a/b", "OpenRouter", 1)
HEAD = {"id": "chatcmpl-x", "object": "chat.completion.chunk", "created": 5, "model": "theirs", "provider": "Them"}


def event(*choices: dict[str, Any], **more: Any) -> bytes:
    return f"data: {json.dumps({**HEAD, 'choices': choices, **more})}\n\n".encode()


def piece(reason: str | None = None, index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": reason}


DONE = b"data: [DONE]\n\n"


def stream(*events: bytes, splicer: Splicer | None = None) -> tuple[list[Any], Splicer]:
    splicer = splicer or Splicer(IDENTITY, Price(1.0, 2.0), prompt_tokens=40)
    told = b"".join(map(splicer.feed, events)).decode()
    return [json.loads(line[6:]) for line in told.split("\n\n") if line.startswith("data: {")], splicer


def test_openais_stream_with_a_role_first_and_usage_last() -> None:
    chunks, splicer = stream(
        event(piece(role="assistant", content="", refusal=None), usage=None, obfuscation="x"),
        event(piece(content="Hi")),
        event(piece("stop")),
        event(usage={"prompt_tokens": 3, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 0}}),
        DONE,
    )
    splicer.finish()
    assert ["", "Hi", "", ""] == [chunk["choices"][0]["delta"]["content"] for chunk in chunks]
    assert {"gen-1"} == {chunk["id"] for chunk in chunks}
    assert {"OpenRouter"} == {chunk["provider"] for chunk in chunks}
    assert Usage(3, 1) == splicer.usage


def test_openrouters_stream_with_comments_native_reasons_and_usage_beside_a_choice() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.1, "prompt_tokens_details": {"cached_tokens": 1}}
    chunks, splicer = stream(
        b": OPENROUTER PROCESSING\n\n",
        event(piece(role="assistant", content="H", reasoning="Hm", reasoning_details=[{"type": "reasoning.text"}])),
        b": OPENROUTER PROCESSING\n\n",
        event({**piece("stop", content=""), "native_finish_reason": "end_turn"}),
        event({**piece("stop", role="assistant", content=""), "native_finish_reason": "end_turn"}, usage=usage),
        DONE,
    )
    splicer.finish()
    assert "Hm" == chunks[0]["choices"][0]["delta"]["reasoning"]
    assert [{"type": "reasoning.text"}] == chunks[0]["choices"][0]["delta"]["reasoning_details"]
    assert ("stop", "end_turn", Usage(3, 2, cached_tokens=1)) == (
        splicer.finish_reason,
        splicer.native_finish_reason,
        splicer.usage,
    )
    assert {"end_turn", None} == {chunk["choices"][0]["native_finish_reason"] for chunk in chunks}
    assert 3 + 4 == chunks[-1]["usage"]["cost"]  # by our price


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}])
def test_without_usage_pieces_are_counted(usage: dict[str, Any] | None) -> None:
    chunks, splicer = stream(event(piece(content="a")), event(piece("stop", content="b"), usage=usage), DONE)
    assert Usage(40, 2, is_exact=False) == splicer.usage
    assert 42 == chunks[-1]["usage"]["total_tokens"]


@pytest.mark.parametrize(
    ("native", "reason"),
    [("function_call", "tool_calls"), ("model_length", "length"), ("end_turn", "stop"), ("strange", "error")],
)
def test_reasons_are_openrouters(native: str, reason: str) -> None:
    _, splicer = stream(event(piece(native, content="a")), DONE)
    assert (reason, native) == (splicer.finish_reason, splicer.native_finish_reason)


def test_reasoning_has_one_name_and_a_role_is_always_there() -> None:
    chunks, splicer = stream(
        event(piece(role=None, content=None, reasoning_content="Hm")),
        event(piece(reasoning="a", reasoning_content="a")),
        event(piece(reasoning_content=None, content="b")),
        event(piece(refusal="no")),
    )
    said = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert {"role": "assistant", "content": None, "reasoning": "Hm"} == said[0]
    assert {"role": "assistant", "reasoning": "a"} == said[1]
    assert {"role": "assistant", "content": "b"} == said[2]
    assert 4 == splicer.tokens_seen


@pytest.mark.parametrize("kind", ["", "chat.completion", "text_completion"])
def test_a_chunk_is_a_chunk_whatever_it_is_called(kind: str) -> None:
    chunks, _ = stream(event(piece(content="a"), object=kind))
    assert (kind if kind == "text_completion" else "chat.completion.chunk") == chunks[0]["object"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ({"code": "rate_limit_exceeded", "message": "slow"}, Outcome(Verdict.RATE_LIMITED, 429, "slow")),
        ({"code": 503, "message": "busy", "metadata": {}}, Outcome(Verdict.OVERLOADED, 503, "busy")),
        ({"code": 402, "message": "pay"}, Outcome(Verdict.UNAVAILABLE, 402, "pay")),
        ({"message": {"detail": "odd"}, "code": 400}, Outcome(Verdict.REJECTED, 400, '{"detail":"odd"}')),
        ("down", Outcome(Verdict.UNAVAILABLE, None, "down")),
    ],
)
def test_an_error_in_place_of_the_first_token_says_whether_another_pool_may_do_better(
    error: Any, outcome: Outcome
) -> None:
    _, splicer = stream(event(piece("error", content=""), error=error))
    assert outcome == splicer.failure


def test_an_error_after_it_breaks_the_stream() -> None:
    _, splicer = stream(
        event(piece(content="a")), event(piece("error"), error={"code": "server_error", "message": "x"})
    )
    assert Outcome(Verdict.BROKEN, 500, "x") == splicer.failure


@pytest.mark.parametrize("nonsense", [b"data: <html>\n\n", b"data: {}\n\n", DONE])
def test_nonsense_in_place_of_a_stream_is_no_answer_and_another_pool_may_do_better(nonsense: bytes) -> None:
    _, splicer = stream(nonsense)
    assert splicer.failure is not None
    assert (Verdict.UNAVAILABLE, 200) == (splicer.failure.verdict, splicer.failure.status)


def whole(message: dict[str, Any], **more: Any) -> tuple[Any, Answer]:
    choice = {"index": 0, "message": message, "finish_reason": "stop", **more.pop("choice", {})}
    answer = reshape(json.dumps({"choices": [choice], **more}).encode(), IDENTITY, Price(), prompt_tokens=40)
    return json.loads(answer.body), answer


USAGE = {"prompt_tokens": 1, "completion_tokens": 1}


def test_a_whole_answer_keeps_what_openrouters_have() -> None:
    details = [{"type": "reasoning.text", "text": "Hm"}]
    annotations = [{"type": "url_citation", "url_citation": {"url": "https://a.example"}}]
    message = {"content": "a", "reasoning_content": "Hm", "reasoning_details": details, "annotations": annotations}
    body, answer = whole(message, usage=USAGE, choice={"native_finish_reason": "end_turn"})
    said = body["choices"][0]["message"]
    assert ("Hm", details, annotations) == (said["reasoning"], said["reasoning_details"], said["annotations"])
    assert ("stop", "end_turn", "chat.completion") == (
        answer.finish_reason,
        answer.native_finish_reason,
        body["object"],
    )
    assert "reasoning_content" not in said


def test_reasoning_under_both_names_is_told_once() -> None:
    body, _ = whole({"content": "a", "reasoning": "Hm", "reasoning_content": "Hm"}, usage=USAGE)
    assert "Hm" == body["choices"][0]["message"]["reasoning"]


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": None}])
def test_without_usage_the_length_of_the_answer_counts(usage: Any) -> None:
    _, answer = whole({"content": "x" * 40, "tool_calls": [{"a": "y" * 34}]}, usage=usage)
    assert Usage(40, 21, is_exact=False) == answer.usage
    body = reshape(b'{"choices":[{"text":"abcdef"}]}', IDENTITY, Price())
    assert (Usage(0, 2, is_exact=False), "text_completion") == (body.usage, json.loads(body.body)["object"])
