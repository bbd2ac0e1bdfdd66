from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from router.policy.balance import Balancer
from router.policy.call import Call
from router.policy.catalog import Endpoint, EndpointId
from router.policy.load import TokenLoad
from router.policy.power_of_two import PowerOfTwo

CALL = Call(model="m")


def fleet(size: int) -> list[Endpoint]:
    return [Endpoint(EndpointId(str(i)), f"http://10.0.0.{i}:8000") for i in range(size)]


def test_the_only_endpoint_is_picked_without_a_draw() -> None:
    rng = Random(1)
    before = rng.getstate()
    (only,) = fleet(1)
    assert only == PowerOfTwo(TokenLoad(), rng).pick([only], CALL, 0.0)
    assert before == rng.getstate()


def test_of_two_endpoints_the_one_with_fewer_tokens_wins_whatever_its_streams() -> None:
    first, second = fleet(2)
    load = TokenLoad()
    load.take(first.id, 1000, 0)
    for _ in range(9):
        load.take(second.id, 100, 0)
    balancer = PowerOfTwo(load, Random(1))
    assert {second} == {balancer.pick([first, second], CALL, 0.0) for _ in range(50)}


def test_ties_are_broken_evenly() -> None:
    endpoints = fleet(4)
    balancer: Balancer = PowerOfTwo(TokenLoad(), Random(1))
    picks = Counter(balancer.pick(endpoints, CALL, 0.0).id for _ in range(8000))
    assert 4 == len(picks)
    assert all(1850 < count < 2150 for count in picks.values()), picks  # 2000 ± 4 σ


@given(st.integers(2, 16), st.integers(0, 2**32), st.data())
def test_the_most_loaded_endpoint_is_never_picked(size: int, seed: int, data: st.DataObject) -> None:
    endpoints = fleet(size)
    worst = data.draw(st.sampled_from(endpoints))
    load = TokenLoad()
    load.take(worst.id, 1, 0)
    assert worst != PowerOfTwo(load, Random(seed)).pick(endpoints, CALL, 0.0)


@given(st.integers(2, 16), st.integers(0, 2**32))
def test_the_least_loaded_endpoint_wins_whenever_it_is_drawn(size: int, seed: int) -> None:
    endpoints = fleet(size)
    load = TokenLoad()
    for endpoint in endpoints[1:]:
        load.take(endpoint.id, 1, 0)
    balancer = PowerOfTwo(load, Random(seed))
    wins = sum(balancer.pick(endpoints, CALL, 0.0) == endpoints[0] for _ in range(400))
    assert abs(wins - 400 * 2 / size) <= 50  # drawn with probability 2/size; 5 σ is at most 50
