from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.call import Call
from router.policy.catalog import Pool, Price
from router.policy.estimate import Estimate, expected_cost
from router.policy.key import NANO
from router.policy.outcome import Usage
from router.protocol.usage import cost

CHEAP = Pool("cheap", "m", "m", price=Price(1e-6, 2e-6), context_length=1_000)
DEAR = Pool("dear", "m", "m", price=Price(3e-6, 4e-6, request=0.5), context_length=500)
CALL = Call("m", prompt_tokens=100)


def test_a_call_costs_its_prompt_its_longest_answer_and_itself() -> None:
    asked = replace(CALL, max_tokens=50)
    assert Estimate(150, 100 * 1_000 + 50 * 2_000) == expected_cost(asked, [CHEAP])
    assert Estimate(150, 100 * 3_000 + 50 * 4_000 + NANO // 2) == expected_cost(asked, [DEAR])


def test_the_dearest_pool_counts_and_the_longest_answer() -> None:
    asked = replace(CALL, max_tokens=400)
    assert Estimate(500, expected_cost(asked, [DEAR]).cost) == expected_cost(asked, [CHEAP, DEAR])


def test_an_answer_of_no_named_length_may_fill_the_context() -> None:
    filled = 100 * 1_000 + 900 * 2_000
    assert filled == expected_cost(CALL, [CHEAP]).cost
    assert 100 * 1_000 + 30 * 2_000 == expected_cost(CALL, [replace(CHEAP, max_completion_tokens=30)]).cost
    assert filled == expected_cost(CALL, [replace(CHEAP, max_completion_tokens=5_000)]).cost


def test_for_the_rate_of_tokens_it_is_taken_for_a_usual_one() -> None:
    assert 100 + 256 == expected_cost(CALL, [CHEAP]).tokens
    assert 130 == expected_cost(CALL, [replace(CHEAP, max_completion_tokens=30)]).tokens


@pytest.mark.parametrize(("max_completion_tokens", "tokens"), [(None, 150), (30, 130), (500, 150)])
def test_an_answer_is_no_longer_than_the_pool_allows(max_completion_tokens: int | None, tokens: int) -> None:
    pool = replace(CHEAP, max_completion_tokens=max_completion_tokens)
    assert tokens == expected_cost(replace(CALL, max_tokens=50), [pool]).tokens


def test_a_prompt_that_seems_to_fill_the_context_may_still_be_answered() -> None:
    assert Estimate(2_001, 2_000 * 1_000 + 2_000) == expected_cost(replace(CALL, prompt_tokens=2_000), [CHEAP])


def test_each_choice_is_an_answer_of_its_own_to_the_same_prompt() -> None:
    assert Estimate(100 + 3 * 50, 100 * 1_000 + 150 * 2_000) == (
        expected_cost(replace(CALL, max_tokens=50), [CHEAP], choices=3)
    )


def test_it_is_rounded_up_to_whole_nano_dollars() -> None:
    pool = Pool("p", "m", "m", price=Price(prompt=1.1e-11))
    assert 2 == expected_cost(replace(CALL, max_tokens=1), [pool]).cost


def test_a_free_pool_costs_nothing_but_tokens() -> None:
    assert Estimate(101, 0) == expected_cost(replace(CALL, max_tokens=1), [Pool("p", "m", "m")])


def test_cached_tokens_that_cost_more_than_others_are_reckoned_with() -> None:
    pool = Pool("p", "m", "m", price=Price(prompt=1e-9, cached_prompt=3e-9))
    assert 300 == expected_cost(replace(CALL, max_tokens=1), [pool]).cost


def test_no_pool_costs_nothing() -> None:
    assert Estimate(0, 0) == expected_cost(CALL, [])


PRICES = st.floats(0, 1e-3)


@given(
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(1, 400),
    st.integers(1, 4),
    st.builds(Price, PRICES, PRICES, st.none() | PRICES, PRICES),
)
def test_no_answer_within_its_bounds_costs_more(
    prompt: int, cached: int, most: int, choices: int, price: Price
) -> None:
    pool = Pool("p", "m", "m", price=price, context_length=1_000)
    estimate = expected_cost(Call("m", prompt_tokens=prompt, max_tokens=most), [pool], choices=choices)
    usage = Usage(prompt, most * choices, min(cached, prompt))
    assert round(cost(usage, price) * NANO) <= estimate.cost + 1  # the last digit of a float
    assert usage.total_tokens <= estimate.tokens
