import math
from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from router.policy.balance import least

COSTS = st.one_of(st.floats(allow_nan=False), st.sampled_from([0.0, 1.0, math.inf]))


def test_the_least_cost_wins_without_a_draw() -> None:
    rng = Random(1)
    before = rng.getstate()
    assert 1 == least([3.0, 1.0, 2.0, math.inf], rng)
    assert before == rng.getstate()


def test_equals_win_in_equal_shares() -> None:
    rng = Random(1)
    wins = Counter(least([1.0, 5.0, 1.0, 1.0], rng) for _ in range(3000))
    assert {0, 2, 3} == wins.keys()
    assert all(900 < count < 1100 for count in wins.values()), wins  # 1000 ± 4 σ


@given(st.lists(COSTS, min_size=1), st.integers(0, 2**32))
def test_nothing_costs_less_than_what_is_picked(costs: list[float], seed: int) -> None:
    assert costs[least(costs, Random(seed))] == min(costs)
