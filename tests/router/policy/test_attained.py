import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.attained import AttainedService


def attained(max_accounts: int = 8, half_life_s: float = 60.0) -> AttainedService:
    return AttainedService(half_life_s=half_life_s, output_weight=2.0, max_accounts=max_accounts)


def test_who_was_never_served_has_nothing() -> None:
    assert (0.0, 0.0) == (attained().own("a", 0.0), attained().total("a", 0.0))


def test_output_counts_twice() -> None:
    service = attained()
    service.add("writer", 0.0, uncached=10, completion=30)
    service.add("reader", 0.0, uncached=69)
    assert {"writer": 70.0, "reader": 69.0} == service.told(0.0)


def test_service_is_half_after_a_half_life() -> None:
    service = attained(half_life_s=60.0)
    service.add("a", 1000.0, uncached=800)
    assert 400.0 == service.own("a", 1060.0)
    service.add("a", 1060.0, uncached=100)
    assert 250.0 == service.own("a", 1120.0)


def test_the_figures_stay_right_over_weeks() -> None:
    service = attained(half_life_s=1.0)
    service.add("old", 0.0, uncached=10**12)
    for second in range(0, 10**6, 500):
        service.add("regular", float(second), uncached=100)
    service.add("fresh", 1e6, uncached=7)
    assert {"fresh": 7.0} == service.told(1e6)


def test_what_was_added_too_much_can_be_taken_back_but_not_more() -> None:
    service = attained()
    service.add("a", 0.0, uncached=100)
    service.add("a", 0.0, uncached=-30)
    assert 70.0 == service.own("a", 0.0)
    service.add("a", 0.0, uncached=-100)
    assert 0.0 == service.own("a", 0.0)


def test_what_other_routers_served_is_added_and_not_told_as_own() -> None:
    service = AttainedService(half_life_s=60.0, output_weight=2.0, max_accounts=8, peers={"a": 500.0}.__getitem__)
    service.add("a", 0.0, uncached=100)
    assert (600.0, 100.0) == (service.total("a", 0.0), service.own("a", 0.0))
    assert {"a": 100.0} == service.told(0.0)


def test_only_the_most_served_are_told() -> None:
    service = attained(max_accounts=100)
    for tokens in range(10):
        service.add(f"a{tokens}", 0.0, uncached=tokens)
    assert {"a9": 9.0, "a8": 8.0} == service.told(0.0, most=2)


def test_those_with_less_than_a_token_are_not_told() -> None:
    service = attained(half_life_s=1.0)
    service.add("a", 0.0, uncached=3)
    assert [{"a": 1.5}, {}] == [service.told(now) for now in (1.0, 2.0)]


def test_when_there_are_too_many_the_least_served_are_forgotten() -> None:
    service = attained(max_accounts=8)
    for tokens in range(1, 10):
        service.add(f"a{tokens}", 0.0, uncached=tokens)
    assert {f"a{tokens}" for tokens in range(4, 10)} == service.told(0.0).keys()


@pytest.mark.parametrize("max_accounts", [1, 2, 5])
@given(served=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1000), st.floats(0, 500)), max_size=60))
def test_no_more_accounts_are_remembered_than_allowed(max_accounts: int, served: list[tuple[int, int, float]]) -> None:
    service = attained(max_accounts)
    now = 0.0
    for account, tokens, seconds in served:
        now += seconds
        service.add(str(account), now, uncached=tokens)
        assert len(service) <= max_accounts
