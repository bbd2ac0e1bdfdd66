"""What answers cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.usage import FREE, completion_cost, cost, insured, prompt_cost, usage_object

TOKENS = st.integers(0, 10**6)
USD = st.floats(0, 1e-3)


def test_a_request_costs_its_prompt_its_completion_and_itself() -> None:
    assert pytest.approx(0.01 + 10 * 2e-6 + 5 * 3e-6) == cost(Usage(10, 5), Price(2e-6, 3e-6, request=0.01))


def test_cached_tokens_have_their_own_price_where_there_is_one() -> None:
    usage = Usage(10, 0, cached_tokens=4)
    assert pytest.approx(10e-6) == prompt_cost(usage, Price(1e-6))
    assert pytest.approx(6e-6 + 0.4e-6) == prompt_cost(usage, Price(1e-6, cached_prompt=0.1e-6))
    assert pytest.approx(6e-6) == prompt_cost(usage, Price(1e-6, cached_prompt=0.0))


@given(prompt=TOKENS, completion=TOKENS, cached=TOKENS, a=USD, b=USD, c=USD)
def test_the_parts_add_up_and_are_never_negative(
    prompt: int, completion: int, cached: int, a: float, b: float, c: float
) -> None:
    usage, price = Usage(prompt, completion, cached), Price(a, b, cached_prompt=c)
    assert prompt_cost(usage, price) >= 0
    assert pytest.approx(prompt_cost(usage, price) + completion_cost(usage, price)) == cost(usage, price)


def test_the_usage_object_has_every_key_that_official_clients_read() -> None:
    assert {
        "prompt_tokens": 8,
        "completion_tokens": 3,
        "total_tokens": 11,
        "cost": 14.0,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": 8.0,
            "upstream_inference_completions_cost": 6.0,
        },
        "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0, "audio_tokens": 0},
    } == usage_object(Usage(8, 3, cached_tokens=2), Price(1.0, 2.0))


@pytest.mark.parametrize(
    ("tokens", "finish_reason", "is_free"),
    [(0, None, True), (0, "stop", False), (3, None, False), (3, "error", True), (3, "length", False)],
)
def test_an_answer_that_says_nothing_or_ends_in_an_error_is_free(
    tokens: int, finish_reason: str | None, is_free: bool
) -> None:
    price = Price(prompt=1.0)
    assert (FREE if is_free else price) == insured(price, Usage(5, tokens), finish_reason)
