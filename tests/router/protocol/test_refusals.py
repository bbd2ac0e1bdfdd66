"""What callers are told when nobody could answer them."""

from typing import Any

import pytest

from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.draft import Exclusion
from router.policy.outcome import Outcome, Verdict
from router.policy.plan import Plan
from router.policy.route import Failure, Reason, Refusal
from router.protocol.errors import ApiError
from router.protocol.refusals import NOTHING_UP_RETRY_AFTER_S, no_pool, of_refusal

POOL = Pool("p", "m", "served", provider="Local", context_length=100)
BIGGER = Pool("q", "m", "served", provider="Acme", context_length=200)
CALL = Call("m", fallback_models=("n",), prompt_tokens=40)


def refused(*reasons: str, call: Call = CALL, tool: str | None = None) -> ApiError:
    excluded = tuple(Exclusion(pool, reason) for pool, reason in zip((POOL, BIGGER), reasons, strict=False))
    return no_pool(call, Plan((), excluded), tool=tool)


def availability(error: ApiError) -> dict[str, Any]:
    told = error.metadata["availability"]
    assert isinstance(told, dict)
    return told


def test_an_unknown_model_is_no_valid_model_id() -> None:
    error = no_pool(CALL, Plan(()))
    assert (400, "model", "m is not a valid model ID") == (error.status, error.field, error.message)
    assert {"code": "model_not_found", "retryable": False, "requested_models": ["m", "n"]} == availability(error)


def test_a_search_of_the_web_is_refused_by_the_name_that_asks_for_it() -> None:
    error = no_pool(CALL, Plan((), needs_web="n:online"))
    assert (400, "model", "model: n:online wants the web plugin, which is not offered here") == (
        error.status,
        error.field,
        error.message,
    )


def test_an_answer_longer_than_every_context_is_an_overflow_in_the_apis_words() -> None:
    error = refused("context_length", "context_length", call=Call("m", prompt_tokens=40, max_tokens=5_000))
    assert (400, "context_length_exceeded") == (error.status, error.error_type)
    assert (
        "maximum context length is 200 tokens. However, you requested about 5040 tokens (40 of text input, 5000 in the"
        in (error.message)
    )
    assert error.metadata["provider_name"] is None
    assert {"p": "context_length", "q": "context_length"} == availability(error)["excluded_by"]
    assert "(40 of text input, 0 in the output)" in refused("context_length").message


@pytest.mark.parametrize(
    ("reasons", "message", "code"),
    [
        (("tools",), 'No endpoints found that support tool use. Try disabling "tools".', "constraint_filtered"),
        (
            ("tool_choice",),
            "No endpoints found that support the provided 'tool_choice' value.",
            "constraint_filtered",
        ),
        (("model_not_allowed",), "No models match your request and model restrictions", "constraint_filtered"),
        (
            ("allowed_providers", "model_not_allowed"),
            "No allowed providers are available for the selected model.",
            "constraint_filtered",
        ),
        (
            ("data_policy:zdr", "data_policy:training"),
            "No endpoints found matching your data policy (no training on prompts, zero data retention).",
            "privacy_restricted",
        ),
        (
            ("max_tokens", "max_price"),
            "No endpoints found for m that can serve this request: max_price, max_tokens",
            "constraint_filtered",
        ),
    ],
)
def test_each_reason_is_told_in_the_words_that_clients_know(reasons: tuple[str, ...], message: str, code: str) -> None:
    error = refused(*reasons)
    assert (404, message, code) == (error.status, error.message, availability(error)["code"])
    assert dict(zip("pq", reasons, strict=False)) == availability(error)["excluded_by"]


def test_the_tool_is_named_where_it_is_known() -> None:
    assert 'Try disabling "weather".' in refused("tools", tool="weather").message


@pytest.mark.parametrize(
    ("modalities", "message"),
    [
        ({"text", "image"}, "No endpoints found that support image input"),
        ({"text", "audio"}, "No endpoints found that support audio input"),
        ({"text"}, "No endpoints found that support such input"),
    ],
)
def test_a_model_that_cannot_see_says_so(modalities: set[str], message: str) -> None:
    assert message == refused("input_modalities", call=Call("m", modalities=frozenset(modalities))).message


@pytest.mark.parametrize(
    ("reasons", "field"),
    [
        (("max_price", "max_price"), "provider.max_price"),
        (("data_policy:zdr",), "provider.zdr"),
        (("allow_fallbacks",), "provider.allow_fallbacks"),
        (("input_modalities",), None),
        (("max_price", "max_tokens"), None),
    ],
)
def test_a_single_constraint_is_named_by_its_field(reasons: tuple[str, ...], field: str | None) -> None:
    error = refused(*reasons)
    expected = None if field is None else {"field": field, "detail": error.message}
    assert expected == availability(error).get("constraint")


@pytest.mark.parametrize("reason", list(Reason))
def test_what_was_not_sent_says_why_and_when_to_come_back(reason: Reason) -> None:
    error = of_refusal(Refusal(0, retry_after_s=3.0, reason=reason), CALL)
    assert (503, "provider_overloaded", 3.0) == (error.status, error.error_type, error.retry_after_s)
    assert (reason.value, 0) == (error.metadata["reason"], error.metadata["attempts"])
    assert "m or n" in error.message
    assert "previous_errors" not in error.metadata
    assert of_refusal(Refusal(0, reason=reason), CALL).retry_after_s == NOTHING_UP_RETRY_AFTER_S


def test_what_failed_before_it_could_not_be_sent_again_is_told() -> None:
    down = Outcome(Verdict.UNAVAILABLE, 500, "boom")
    error = of_refusal(Refusal(1, down, POOL, reason=Reason.FULL), CALL)
    assert [
        {
            "provider": "Local",
            "model": "m",
            "code": 502,
            "status": 500,
            "message": "Provider returned error: boom",
        }
    ] == error.metadata["previous_errors"]


@pytest.mark.parametrize(("known", "told"), [(None, NOTHING_UP_RETRY_AFTER_S), (2.0, 2.0)])
def test_nobody_to_send_to_is_a_503_that_says_when_to_come_back(known: float | None, told: float) -> None:
    error = of_refusal(Refusal(0, retry_after_s=known), CALL, excluded=[Exclusion(BIGGER, "max_price")])
    assert (503, told) == (error.status, error.retry_after_s)
    assert {
        "code": "temporarily_unavailable",
        "retryable": True,
        "requested_models": ["m", "n"],
        "excluded_by": {"q": "max_price"},
    } == availability(error)


def test_the_last_attempts_failure_is_told_with_the_number_of_attempts() -> None:
    refusal = Refusal(2, Outcome(Verdict.REJECTED, 400), POOL)
    error = of_refusal(refusal, CALL, b'{"error":{"message":"stop is wrong","code":400}}')
    assert (400, "stop is wrong", 2, "Local") == (
        error.status,
        error.message,
        error.metadata["attempts"],
        error.metadata["provider_name"],
    )
    assert not {"availability", "previous_errors"} & error.metadata.keys()
    assert "local" == of_refusal(Refusal(1, Outcome(Verdict.BROKEN)), CALL).metadata["provider_name"]


def test_attempts_before_the_last_are_told_in_their_order() -> None:
    earlier = (
        Failure(BIGGER, Outcome(Verdict.REJECTED, 400, "too long")),
        Failure(POOL, Outcome(Verdict.TIMEOUT)),
    )
    error = of_refusal(Refusal(3, Outcome(Verdict.UNAVAILABLE, 500), POOL, earlier=earlier), CALL)
    told = error.metadata["previous_errors"]
    assert isinstance(told, list)
    assert [("Acme", 400, 400, "too long"), ("Local", 504, 504, "The provider did not finish in time")] == [
        (each["provider"], each["code"], each["status"], each["message"]) for each in told
    ]


@pytest.mark.parametrize(
    ("outcome", "code", "is_retryable"),
    [
        (Outcome(Verdict.RATE_LIMITED, 429), "capacity_exhausted", True),
        (Outcome(Verdict.UNAVAILABLE, 500), "temporarily_unavailable", True),
        (Outcome(Verdict.REJECTED, 400), "no_endpoints", False),
    ],
)
def test_what_was_left_out_is_told_with_the_last_failure(outcome: Outcome, code: str, is_retryable: bool) -> None:
    error = of_refusal(Refusal(1, outcome, POOL), CALL, excluded=[Exclusion(BIGGER, "quantization")])
    told = availability(error)
    assert (code, is_retryable, {"q": "quantization"}) == (told["code"], told["retryable"], told["excluded_by"])


def test_back_pressure_says_when_to_come_back_the_endpoints_word_first() -> None:
    own = Refusal(1, Outcome(Verdict.OVERLOADED, 503, retry_after_s=1.0), POOL, retry_after_s=9.0)
    assert 1.0 == of_refusal(own, CALL).retry_after_s
    assert 9.0 == of_refusal(Refusal(1, Outcome(Verdict.OVERLOADED, 503), POOL, retry_after_s=9.0), CALL).retry_after_s
    assert of_refusal(Refusal(1, Outcome(Verdict.UNAVAILABLE), POOL, retry_after_s=9.0), CALL).retry_after_s is None
