"""Quantiles out of logarithmic bins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.sketch import ACCURACY, LEAST, MOST, bin_of, merged, quantiles

VALUES = st.lists(st.floats(min_value=LEAST, max_value=MOST), min_size=1, max_size=200)


def sketch_of(values: list[float]) -> dict[int, int]:
    return merged({bin_of(value): 1} for value in values)


@given(VALUES, st.floats(min_value=0, max_value=1))
def test_a_quantile_is_within_the_accuracy_of_the_true_one(values: list[float], share: float) -> None:
    true = sorted(values)[int(share * (len(values) - 1))]
    (found,) = quantiles(sketch_of(values), (share,))
    assert found == pytest.approx(true, rel=ACCURACY * 1.001)


@given(VALUES, VALUES)
def test_two_sketches_together_are_the_sketch_of_all(one: list[float], other: list[float]) -> None:
    assert sketch_of(one + other) == merged([sketch_of(one), sketch_of(other)])


@given(VALUES)
def test_quantiles_ascend(values: list[float]) -> None:
    found = quantiles(sketch_of(values), (0.5, 0.75, 0.9, 0.99))
    assert found == sorted(found)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), LEAST / 2])
def test_what_is_too_small_counts_as_the_least(value: float) -> None:
    assert bin_of(LEAST) == bin_of(value)


def test_what_is_too_large_counts_as_the_most() -> None:
    assert bin_of(MOST) == bin_of(float("inf"))
    assert bin_of(MOST) - bin_of(LEAST) < 300
