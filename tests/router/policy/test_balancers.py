import math
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.balance import least
from router.policy.balancers import BalancerSettings, Name, make
from router.policy.call import Call, Prefix
from tests.router.policy.columns import columns

NAMES: tuple[Name, ...] = get_args(Name)
ROW = st.tuples(
    st.integers(0, 10**6),  # queued
    st.integers(0, 500),  # streams
    st.floats(0, 1),  # share of the prompt that is cached
    st.floats(1, 10**6),  # rate
    st.floats(0.01, 1),  # warmth
    st.floats(0, 10),  # delay
)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_a_balancer_of_its_own(name: Name) -> None:
    made = make(name, BalancerSettings(), Random(1))
    words = name.replace("-until-saturated", "").split("-")
    assert "".join(words) == type(made).__name__.lower()


@pytest.mark.parametrize("name", NAMES)
@given(
    rows=st.lists(ROW, min_size=1, max_size=20),
    tokens=st.integers(0, 10**5),
    hashes=st.lists(st.integers(0, 2**64 - 1), max_size=6),
    seed=st.integers(0, 2**32),
)
def test_a_pick_is_always_one_of_the_candidates(
    name: Name,
    rows: list[tuple[int, int, float, float, float, float]],
    tokens: int,
    hashes: list[int],
    seed: int,
) -> None:
    queued, streams, shares, rates, warmth, delays = map(list, zip(*rows, strict=True))
    candidates = columns(
        len(rows),
        queued=queued,
        streams=streams,
        cached=[int(share * tokens) for share in shares],
        rates=rates,
        warmth=warmth,
        delays=delays,
    )
    call = Call("m", prompt_tokens=tokens, prefix=Prefix(tuple(hashes), tuple(range(1, len(hashes) + 1))))
    rng = Random(seed)
    balancer = make(name, BalancerSettings(), rng)
    for _ in range(3):
        costs = balancer.costs(candidates, call)
        assert len(candidates) == len(costs)
        assert not any(math.isnan(cost) or cost < 0 for cost in costs)
        picked = least(costs, rng)
        assert 0 <= picked < len(candidates)
        assert math.isfinite(costs[picked])
