import math
from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from router.policy.balance import Balancer, least
from router.policy.call import Call
from router.policy.power_of_two import PowerOfTwo
from tests.router.policy.columns import columns

CALL = Call(model="m")


def test_the_only_endpoint_is_picked_without_a_draw() -> None:
    rng = Random(1)
    before = rng.getstate()
    assert [1.0] == PowerOfTwo(rng).costs(columns(1), CALL)
    assert before == rng.getstate()


def test_two_are_drawn_and_cost_their_requests() -> None:
    costs = PowerOfTwo(Random(1)).costs(columns(5, streams=[7] * 5, warmth=[0.5] * 5), CALL)
    assert [16.0, 16.0, math.inf, math.inf, math.inf] == sorted(costs)


def test_draws_are_even() -> None:
    rng = Random(1)
    balancer: Balancer = PowerOfTwo(rng)
    candidates = columns(4)
    picks = Counter(least(balancer.costs(candidates, CALL), rng) for _ in range(8000))
    assert 4 == len(picks)
    assert all(1850 < count < 2150 for count in picks.values()), picks  # 2000 ± 4 σ


@given(st.integers(2, 16), st.integers(0, 2**32), st.data())
def test_the_most_loaded_endpoint_is_never_picked(size: int, seed: int, data: st.DataObject) -> None:
    worst = data.draw(st.integers(0, size - 1))
    candidates = columns(size, streams=[int(row == worst) for row in range(size)])
    rng = Random(seed)
    assert worst != least(PowerOfTwo(rng).costs(candidates, CALL), rng)


@given(st.integers(2, 16), st.integers(0, 2**32))
def test_the_least_loaded_endpoint_wins_whenever_it_is_drawn(size: int, seed: int) -> None:
    candidates = columns(size, streams=[int(row > 0) for row in range(size)])
    rng = Random(seed)
    balancer = PowerOfTwo(rng)
    wins = sum(least(balancer.costs(candidates, CALL), rng) == 0 for _ in range(400))
    assert abs(wins - 400 * 2 / size) <= 50  # drawn with probability 2/size; 5 σ is at most 50
