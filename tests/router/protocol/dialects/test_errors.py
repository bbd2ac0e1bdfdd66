"""Errors of foreign providers: whose fault they are, and what is shown of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.outcome import Outcome, Verdict
from router.protocol.dialects.codes import status_of, verdict_of
from router.protocol.dialects.errors import in_answer, judged, told
from router.protocol.failures import of_outcome


def judge(status: int, body: Any, *secrets: str) -> tuple[Outcome, dict[str, Any]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    outcome, written = judged(Outcome(verdict_of(status), status, f"HTTP {status}", 3.0), raw, secrets)
    return outcome, json.loads(written)["error"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.REJECTED), (413, Verdict.REJECTED), (422, Verdict.REJECTED),
        (401, Verdict.UNAVAILABLE), (402, Verdict.UNAVAILABLE), (403, Verdict.UNAVAILABLE), (404, Verdict.UNAVAILABLE),
        (429, Verdict.RATE_LIMITED), (503, Verdict.OVERLOADED), (529, Verdict.OVERLOADED),
        (408, Verdict.TIMEOUT), (504, Verdict.TIMEOUT), (524, Verdict.TIMEOUT),
        (500, Verdict.UNAVAILABLE), (502, Verdict.UNAVAILABLE), (302, Verdict.UNAVAILABLE),
    ],
)  # fmt: skip
def test_statuses_say_whose_fault_it_is(status: int, verdict: Verdict) -> None:
    assert verdict is verdict_of(status)


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        (429, None, 429), ("429", None, 429), ("rate_limit_exceeded", None, 429), (None, "overloaded_error", 529),
        ("strange", "server_error", 500), (None, None, None), (7, "8", None), ([], {}, None), ("٤٢٩", None, None),
    ],
)  # fmt: skip
def test_codes_may_be_names(code: object, kind: object, status: int | None) -> None:
    assert status == status_of(code, kind)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "no", "type": "x", "param": "stop", "code": None}}, "no"),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"object": "error", "message": "no", "code": 1}, "no"),
        ({"detail": [{"loc": ["body"], "msg": "no"}]}, '[{"loc":["body"],"msg":"no"}]'),
        ({"message": {"detail": "no"}}, '{"detail":"no"}'),
        ({"error": {"code": 3}}, ""),
        ([], ""),
        (b"<html>", ""),
    ],
)
def test_all_shapes_of_errors_are_read(body: Any, message: str) -> None:
    outcome, error = judge(400, body)
    assert (message, 400) == (error["message"], error["code"])
    assert Outcome(Verdict.REJECTED, 400, message or "HTTP 400", 3.0) == outcome


def test_the_field_at_fault_comes_through() -> None:
    _, error = judge(400, {"error": {"message": "no", "type": "x", "param": "stop", "code": None}})
    assert ("stop", "x") == (error["param"], error["type"])


def test_a_key_is_never_shown_whatever_it_looks_like() -> None:
    key = "Zq7mmmmm"
    outcome, error = judge(401, {"error": {"message": f"Wrong: {key}! at 10.0.0.1"}}, "", key)
    assert "Wrong: <key>! at <address>" == error["message"] == outcome.detail


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        (403, {"message": "flagged", "metadata": {"reasons": ["violence"]}}, Verdict.REJECTED),
        (403, {"message": "not your country", "metadata": {}}, Verdict.UNAVAILABLE),
        (403, {"message": "not your country"}, Verdict.UNAVAILABLE),
        (404, {"message": "No endpoints found that support tool use."}, Verdict.REJECTED),
        (404, {"message": "No such model"}, Verdict.UNAVAILABLE),
        (429, {"message": "pay", "code": "insufficient_quota"}, Verdict.UNAVAILABLE),
        (429, {"message": "slow down", "code": "rate_limit_exceeded"}, Verdict.RATE_LIMITED),
    ],
)
def test_some_statuses_mean_different_things(status: int, error: dict[str, Any], verdict: Verdict) -> None:
    assert verdict is judge(status, {"error": error})[0].verdict


OPENAIS = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please"
ROUTERS = "This endpoint's maximum context length is 16384 tokens. However, you requested about 26265 tokens "


@pytest.mark.parametrize(
    ("message", "figures"),
    [
        (OPENAIS, (8192, 9000, 0)),
        ("prompt is too long: 205000 tokens > 200000 maximum", (200000, 205000, 0)),
        (
            "Prompt contains 40000 tokens, too large for model with maximum context length of 32768",
            (32768, 40000, 0),
        ),
        (ROUTERS + "(26255 of text input, 10 in the output).", (16384, 26255, 10)),
        (ROUTERS + "(26200 of text input, 55 of tool input, 10 in the output).", (16384, 26200, 10)),
    ],
)
def test_a_prompt_that_is_too_long_is_told_in_the_same_words_by_every_provider(
    message: str, figures: tuple[int, int, int]
) -> None:
    raw = json.dumps({"error": {"message": message}}).encode()
    outcome, body = judged(Outcome(Verdict.REJECTED, 400), raw)
    error = of_outcome(outcome, provider="P", body=body)
    most, text, output = figures
    assert "context_length_exceeded" == error.error_type
    assert f"maximum context length is {most} tokens" in error.message
    assert f"({text} of text input, {output} in the output)" in error.message


def test_an_error_in_place_of_an_answer_is_one() -> None:
    found = in_answer(b'{"error":{"code":429,"message":"slow down"},"user_id":"u"}')
    assert found is not None
    assert Outcome(Verdict.RATE_LIMITED, 429, "slow down") == found[0]
    found = in_answer(b'{"error":{"message":"what?"}}')
    assert found is not None
    assert (Verdict.UNAVAILABLE, 502) == (found[0].verdict, found[0].status)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"choices":[{}],"error":{"code":1}}', b'{"error":null,"choices":[]}'])
def test_other_answers_are_none(body: bytes) -> None:
    assert in_answer(body) is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "rate_limited", "message": "10.0.0.1 says no"}, (429, "<address> says no")),
        ("no", (None, "no")),
        (3, (None, "")),
    ],
)
def test_an_error_in_a_stream(error: object, expected: tuple[int | None, str]) -> None:
    assert expected == told(error)


@given(raw=st.binary())
def test_no_bytes_raise_anything(raw: bytes) -> None:
    judged(Outcome(Verdict.REJECTED, 400), raw)
    in_answer(raw)
