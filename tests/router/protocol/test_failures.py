"""What callers are told of failed attempts."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.outcome import Outcome, Phase, Verdict
from router.protocol.errors import ApiError
from router.protocol.failures import of_outcome


def told(outcome: Outcome, message: str | None = None, **error: Any) -> ApiError:
    body = b"" if message is None else json.dumps({"error": {"message": message, "type": "x", **error}}).encode()
    return of_outcome(outcome, provider="Local", body=body)


@pytest.mark.parametrize(
    ("verdict", "status", "error_type"),
    [
        (Verdict.RATE_LIMITED, 429, "rate_limit_exceeded"),
        (Verdict.OVERLOADED, 503, "provider_overloaded"),
        (Verdict.UNAVAILABLE, 502, "provider_unavailable"),
        (Verdict.BROKEN, 502, "provider_unavailable"),
        (Verdict.TIMEOUT, 504, "timeout"),
        (Verdict.CANCELLED, 499, "client_closed_request"),
        (Verdict.REJECTED, 400, "invalid_request"),
    ],
)
def test_every_verdict_has_its_status_and_type(verdict: Verdict, status: int, error_type: str) -> None:
    error = told(Outcome(verdict, detail="at 10.0.0.1:80", retry_after_s=2.0))
    assert (status, error_type) == (error.status, error.error_type)
    assert {"provider_name": "Local", "raw": "at <address>"} == error.metadata


def test_the_real_reason_stands_in_the_message() -> None:
    error = told(Outcome(Verdict.UNAVAILABLE, detail="connection refused"))
    assert "Provider returned error: connection refused" == error.message
    assert "Provider returned error" == told(Outcome(Verdict.UNAVAILABLE)).message
    assert 3.0 == told(Outcome(Verdict.OVERLOADED, retry_after_s=3.0)).retry_after_s


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (Phase.CONNECT, "The provider could not be reached in time"),
        (Phase.FIRST_TOKEN, "The provider did not begin to answer in time"),
        (Phase.IDLE, "The provider stopped answering"),
        (Phase.TOTAL, "The provider did not finish in time"),
        (None, "The provider did not finish in time"),
    ],
)
def test_a_timeout_says_which_clock_ran_out(phase: Phase | None, message: str) -> None:
    assert message == told(Outcome(Verdict.TIMEOUT, phase=phase)).message


REJECTED = Outcome(Verdict.REJECTED, 400)
OVERFLOW = (
    "This endpoint's maximum context length is {} tokens. However, you requested about {} tokens ({} of text input, "
    "{} in the output). Please reduce the length of either one, or use the context-compression plugin to compress your "
    "prompt automatically."
)
VLLM = "This model's maximum context length is 2048 tokens. However, you requested "  # 0.29, as it begins


@pytest.mark.parametrize(
    ("message", "figures"),
    [
        (
            f"{VLLM}100 output tokens and your prompt contains 2000 input tokens, for a total of 2100 tokens. Please",
            (2048, 2100, 2000, 100),
        ),
        (
            f"{VLLM}0 output tokens and your prompt contains at least 2049 input tokens, for a total of at least 2049",
            (2048, 2049, 2049, 0),
        ),
        (
            f"{VLLM}8 output tokens and your prompt contains 400000 characters (more than 20400 characters, which is",
            (2048, 100_008, 100_000, 8),
        ),
        ("Input length (3000) exceeds model's maximum context length (2048).", (2048, 3000, 3000, 0)),
        (
            "max_tokens=5000 cannot be greater than max_model_len=max_total_tokens=2048. Please request fewer output",
            (2048, 5000, 0, 5000),
        ),
        ("max_completion_tokens=5000 cannot be greater than max_model_len=2048.", (2048, 5000, 0, 5000)),
    ],
)
def test_an_overflow_of_the_context_comes_in_openrouters_words_with_the_engines_figures(
    message: str, figures: tuple[int, ...]
) -> None:
    error = told(REJECTED, message)
    assert OVERFLOW.format(*figures) == error.message
    assert (400, "context_length_exceeded") == (error.status, error.error_type)


def test_other_words_about_the_context_pass_as_they_are() -> None:
    message = "the maximum context length is 5 tokens and you requested 3 output tokens"
    assert message == told(REJECTED, message).message


def test_an_engines_complaint_names_the_field_and_passes_scrubbed() -> None:
    error = told(REJECTED, "cannot open /usr/lib/x/y.so", param="body.logit_bias")
    assert ("logit_bias: cannot open <path>", "logit_bias") == (error.message, error.field)
    assert "stop is wrong" == told(REJECTED, "stop is wrong", param="stop").message
    assert "The provider refused the request" == told(REJECTED, "").message


@pytest.mark.parametrize("param", ["", "/etc/passwd", "sk-or-v1 0123", "x" * 129, "a\r\nb", "<script>"])
def test_what_is_no_field_is_not_repeated_as_one(param: str) -> None:
    error = told(REJECTED, "no", param=param)
    assert (None, "no") == (error.field, error.message)


def test_pydantics_lists_are_reduced_to_what_they_say() -> None:
    message = "1 validation error:\n  {'type': 'int_type', 'msg': 'Input should be an integer', 'input': 'x'}"
    assert "n: Input should be an integer" == told(REJECTED, message, param="body.n").message


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_provider_that_refuses_the_router_is_not_the_callers_fault(status: int) -> None:
    error = told(Outcome(Verdict.REJECTED, status), "The model `served` does not exist.")
    assert (502, "Provider returned error: it refused the router") == (error.status, error.message)


def test_too_large_and_unprocessable_keep_their_status() -> None:
    assert 413 == told(Outcome(Verdict.REJECTED, 413)).status
    assert 422 == told(Outcome(Verdict.REJECTED, 422), "no").status


@pytest.mark.parametrize("body", [b'{"error":"bad thing"}', b'{"message":"bad thing","code":400}'])
def test_other_shapes_of_error_bodies_are_read_too(body: bytes) -> None:
    assert "bad thing" == of_outcome(REJECTED, provider="p", body=body).message


def test_success_is_no_failure() -> None:
    with pytest.raises(ValueError, match="went well"):
        told(Outcome(Verdict.OK))


@given(body=st.binary(), verdict=st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.OK]))
def test_no_body_breaks_the_translation(body: bytes, verdict: Verdict) -> None:
    assert 400 <= of_outcome(Outcome(verdict), provider="p", body=body).status < 600


@pytest.mark.parametrize(
    ("message", "figures"),
    [
        (
            (
                "This endpoint's maximum context length is 16384 tokens. However, you requested about 26265 tokens "
                "(26255 of text input, 10 in the output). Please reduce the length of either one."
            ),
            (16384, 26255, 10),
        ),
        (
            (
                "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8500 in the "
                "messages, 500 in the completion). Please reduce the length of the messages or completion."
            ),
            (8192, 8500, 500),
        ),
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            (8192, 9001, 0),
        ),
        (
            "Prompt contains 40014 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            (32768, 40014, 0),
        ),
        ("prompt is too long: 208310 tokens > 200000 maximum", (200000, 208310, 0)),
    ],
)
def test_other_providers_overflows_are_told_in_the_same_words(message: str, figures: tuple[int, int, int]) -> None:
    error = told(REJECTED, message)
    limit, text, output = figures
    assert "context_length_exceeded" == error.error_type
    assert f"maximum context length is {limit} tokens" in error.message
    assert f"({text} of text input, {output} in the output)" in error.message


def test_the_routers_own_credit_is_no_concern_of_the_caller() -> None:
    error = told(Outcome(Verdict.REJECTED, 402), "Insufficient credits")
    assert (502, "Provider returned error: it refused the router") == (error.status, error.message)
