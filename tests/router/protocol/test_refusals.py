"""What callers are told when nobody could answer them."""

import pytest

from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.key import Key
from router.policy.outcome import Outcome, Verdict
from router.policy.plan import Exclusion, Plan, plan
from router.policy.route import Reason, Refusal
from router.protocol.refusals import NOTHING_UP_RETRY_AFTER_S, no_pool, of_refusal

POOL = Pool("p", "m", "served", provider="Local", context_length=100)
CALL = Call("m", fallback_models=("n",), prompt_tokens=40)


def test_an_unknown_model_is_no_valid_model_id() -> None:
    error = no_pool(CALL, Plan(()), {"other"})
    assert (400, "model", "m is not a valid model ID") == (error.status, error.field, error.message)
    availability = {"code": "model_not_found", "retryable": False, "requested_models": ["m", "n"]}
    assert availability == error.metadata["availability"]


def test_an_answer_longer_than_every_context_is_an_overflow_in_the_apis_words() -> None:
    call = Call("m", prompt_tokens=40, max_tokens=5_000)
    error = no_pool(call, plan(call, [POOL]), {"m"})
    assert (400, "context_length_exceeded") == (error.status, error.error_type)
    assert (
        "maximum context length is 100 tokens. However, you requested about 5040 tokens (40 of text input, 5000 in the"
        in (error.message)
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_what_was_not_sent_says_why_and_when_to_come_back(reason: Reason) -> None:
    error = of_refusal(Refusal(0, retry_after_s=3.0, reason=reason), CALL)
    assert (503, "provider_overloaded", 3.0) == (error.status, error.error_type, error.retry_after_s)
    assert reason.value == error.metadata["reason"]
    assert of_refusal(Refusal(0, reason=reason), CALL).retry_after_s == NOTHING_UP_RETRY_AFTER_S


def test_a_model_that_cannot_see_says_so() -> None:
    call = Call("m", modalities=frozenset({"text", "image"}))
    error = no_pool(call, plan(call, [POOL]), {"m"})
    assert (404, "No endpoints found that support image input") == (error.status, error.message)
    availability = error.metadata["availability"]
    assert isinstance(availability, dict)
    assert {"p": "input_modalities"} == availability["excluded_by"]


def test_other_constraints_are_named() -> None:
    excluded = (Exclusion(POOL, "max_tokens"), Exclusion(POOL, "context_length"))
    error = no_pool(CALL, Plan((), excluded), {"m"})
    assert "No endpoints found for m that can serve this request: context_length, max_tokens" == error.message


@pytest.mark.parametrize(("known", "told"), [(None, NOTHING_UP_RETRY_AFTER_S), (2.0, 2.0)])
def test_nobody_to_send_to_is_a_503_that_says_when_to_come_back(known: float | None, told: float) -> None:
    error = of_refusal(Refusal(0, retry_after_s=known), CALL)
    assert (503, told) == (error.status, error.retry_after_s)


def test_the_last_attempts_failure_is_told_with_the_number_of_attempts() -> None:
    refusal = Refusal(2, Outcome(Verdict.REJECTED, 400), POOL)
    error = of_refusal(refusal, CALL, b'{"error":{"message":"stop is wrong","code":400}}')
    assert (400, "stop is wrong", 2, "Local") == (
        error.status,
        error.message,
        error.metadata["attempts"],
        error.metadata["provider_name"],
    )
    assert "local" == of_refusal(Refusal(1, Outcome(Verdict.BROKEN)), CALL).metadata["provider_name"]


def test_back_pressure_says_when_to_come_back_the_endpoints_word_first() -> None:
    own = Refusal(1, Outcome(Verdict.OVERLOADED, 503, retry_after_s=1.0), POOL, retry_after_s=9.0)
    assert 1.0 == of_refusal(own, CALL).retry_after_s
    assert 9.0 == of_refusal(Refusal(1, Outcome(Verdict.OVERLOADED, 503), POOL, retry_after_s=9.0), CALL).retry_after_s
    assert of_refusal(Refusal(1, Outcome(Verdict.UNAVAILABLE), POOL, retry_after_s=9.0), CALL).retry_after_s is None


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (Key("k", "k", models=frozenset()), "No models match your request and model restrictions"),
        (Key("k", "k", providers=frozenset()), "No allowed providers are available for the selected model."),
    ],
)
def test_what_a_key_may_not_use_is_said_in_the_words_that_clients_know(key: Key, words: str) -> None:
    pool, call = Pool("p", "m", "m"), Call("m")
    error = no_pool(call, plan(call, [pool], key), {"m"})
    assert (404, words) == (error.status, error.message)
