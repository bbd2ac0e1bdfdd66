from router.policy.call import Call
from router.policy.round_robin import RoundRobin
from tests.router.policy.columns import columns

CALL = Call("m")


def picks(balancer: RoundRobin, size: int, count: int) -> list[int]:
    rows = []
    for _ in range(count):
        costs = list(balancer.costs(columns(size), CALL))
        rows.append(costs.index(min(costs)))
    return rows


def test_each_has_its_turn() -> None:
    assert [0, 1, 2, 0, 1, 2] == picks(RoundRobin(), 3, 6)


def test_a_cost_is_the_number_of_turns_until_then() -> None:
    balancer = RoundRobin()
    assert [[0.0, 1.0, 2.0], [2.0, 0.0, 1.0]] == [balancer.costs(columns(3), CALL) for _ in range(2)]


def test_a_fleet_that_shrinks_and_grows_goes_on() -> None:
    balancer = RoundRobin()
    assert [0, 1, 2, 3] == picks(balancer, 4, 4)
    assert [0, 1, 0] == picks(balancer, 2, 3)
    assert [1, 2, 3, 0] == picks(balancer, 4, 4)
