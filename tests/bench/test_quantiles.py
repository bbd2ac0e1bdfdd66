import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.quantiles import Spread, quantile, spread


def test_the_median_of_an_odd_number_is_the_one_in_the_middle() -> None:
    assert 3.0 == quantile([5.0, 3.0, 1.0], 0.5)


def test_p99_of_a_hundred_is_the_second_largest() -> None:
    assert 99 == quantile(range(1, 101), 0.99)


def test_p99_of_a_few_is_the_largest() -> None:
    assert 7.0 == quantile([7.0, 1.0], 0.99)


def test_the_whole_is_the_largest() -> None:
    assert 9.0 == quantile([9.0, 1.0, 5.0], 1.0)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1), st.floats(0.001, 1.0))
def test_at_least_the_share_lies_at_or_below_and_no_smaller_value_would_do(values: list[float], share: float) -> None:
    result = quantile(values, share)
    assert result in values
    assert sum(value <= result for value in values) >= share * len(values)
    assert sum(value < result for value in values) < share * len(values)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share must be"):
        quantile([1.0], share)


def test_nothing_has_no_quantile_and_no_spread() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_a_spread_tells_median_least_and_most() -> None:
    assert Spread(median=2.0, least=1.0, most=9.0) == spread([9.0, 1.0, 2.0])
