"""Numbers between bounds: those alone, and all of them."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.markup.digits import LARGEST, number
from router.protocol.markup.ebnf import any_of
from router.protocol.markup.nodes import Number
from tests.router.protocol.markup.sampler import sampler

BOUNDS = [-1_000, -999, -120, -99, -10, -5, -1, 0, 1, 7, 10, 42, 99, 100, 101, 199, 250]


def pattern(node: Number) -> re.Pattern[str]:
    """The alternatives as a regular expression: sets, repetitions and groups are written alike."""
    written = "|".join(re.sub(r'"([^"]*)"', lambda found: re.escape(found[1]), each) for each in number(node))
    return re.compile(written.replace(" ", ""))


@pytest.mark.parametrize("low", BOUNDS)
@pytest.mark.parametrize("high", BOUNDS)
def test_integers_are_those_between_the_bounds(low: int, high: int) -> None:
    node = Number(low, high, is_whole=True)
    if low > high:
        assert [] == number(node)
        return
    within = pattern(node)
    assert list(range(low, high + 1)) == [each for each in range(-1_100, 1_100) if within.fullmatch(str(each))]
    assert not any(within.fullmatch(text) for text in ("-0", "00", "01", "1.0", "+1", ""))


FRACTIONS = [each / 4 for each in range(-1_010, 1_010)]


@pytest.mark.parametrize("low", [-250, -1, 0, 1, 3])
@pytest.mark.parametrize("high", [-249, -1, 0, 1, 4, 120])
@pytest.mark.parametrize("excluded", [(False, False), (True, False), (False, True), (True, True)])
def test_decimals_are_those_between_the_bounds(low: int, high: int, excluded: tuple[bool, bool]) -> None:
    node = Number(low, high, False, *excluded)

    def is_within(value: float) -> bool:
        return (low < value if excluded[0] else low <= value) and (value < high if excluded[1] else value <= high)

    expected = [value for value in FRACTIONS if is_within(value)]
    if not expected:
        assert [] == number(node)
        return
    within = pattern(node)
    written = [(value, f"{value:g}") for value in FRACTIONS]
    assert expected == [value for value, text in written if within.fullmatch(text)]
    assert not any(within.fullmatch(text) for text in ("-0", "-0.0", "00.5", "1.", ".5", "1.0000000", "1e5"))


@given(st.integers(-LARGEST, LARGEST), st.integers(-LARGEST, LARGEST), st.randoms(use_true_random=False))
def test_large_bounds_are_kept_too(one: int, other: int, rng: random.Random) -> None:
    low, high = sorted((one, other))
    for is_whole in (True, False):
        sample = sampler(f"root ::= {any_of(number(Number(low, high, is_whole)))}")
        assert all(low <= float(sample(rng)) <= high for _ in range(20))
    assert low <= int(sampler(f"root ::= {any_of(number(Number(low, high, True)))}")(rng)) <= high
