"""Routers that cannot hear each other choose apart."""

from router.policy.apart import Apart
from router.policy.catalog import EndpointId

IDS = [EndpointId(f"10.0.0.{number}:8000") for number in range(32)]


def weights(name: int) -> list[float]:
    found = Apart(name, lambda now: True).weights(IDS, 0.0)
    assert found is not None
    return found


def test_as_long_as_others_are_heard_all_endpoints_are_alike() -> None:
    assert Apart(1, lambda now: now > 5.0).weights(IDS, 5.0) is None
    assert Apart(1, lambda now: now > 5.0).weights(IDS, 5.1) is not None


def test_each_router_has_an_order_of_its_own_and_keeps_it() -> None:
    one, other = weights(1), weights(2)
    assert one == weights(1)
    assert sorted(range(32), key=one.__getitem__) != sorted(range(32), key=other.__getitem__)


def test_no_endpoint_is_disliked_so_much_that_it_is_never_chosen() -> None:
    assert all(1 / 1.7 <= weight <= 1.0 for weight in weights(3))
