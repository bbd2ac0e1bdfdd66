import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.retry_budget import RetryBudget, RetryBudgetSettings


def test_retries_are_a_share_of_the_requests() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=0.2, floor_per_s=0.0))
    for _ in range(50):
        budget.deposit(1.0)
    assert 10 == sum(budget.withdraw(2.0) for _ in range(50))


def test_quiet_times_can_retry_on_the_floor_alone() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=0.2, floor_per_s=0.3, ttl_s=10.0))
    assert [True, True, True, False] == [budget.withdraw(5.0) for _ in range(4)]


def test_a_spent_budget_comes_back_with_time() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=0.0, floor_per_s=0.1, ttl_s=10.0))
    assert [True, False, True] == [budget.withdraw(5.0), budget.withdraw(6.0), budget.withdraw(17.0)]


def test_old_requests_pay_for_no_retries() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=1.0, floor_per_s=0.0, ttl_s=10.0))
    budget.deposit(0.0)
    assert not budget.withdraw(12.0)


def test_without_ratio_and_floor_there_are_no_retries() -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=0.0, floor_per_s=0.0))
    budget.deposit(0.0)
    assert not budget.withdraw(0.0)


@pytest.mark.parametrize(
    "settings",
    [{"ratio": -0.1}, {"ratio": 1.1}, {"ratio": float("nan")}, {"floor_per_s": -1.0}, {"ttl_s": 0.0}, {"ttl_s": -1.0}],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        RetryBudgetSettings(**settings)


@given(
    st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=300).map(sorted),
    st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    st.sampled_from([0.0, 0.1, 0.35, 1.0]),
)
def test_over_any_window_retries_never_exceed_the_ratio_and_the_floor(
    events: list[tuple[float, bool]], ratio: float, floor_per_s: float
) -> None:
    settings = RetryBudgetSettings(ratio=ratio, floor_per_s=floor_per_s, ttl_s=10.0)
    budget = RetryBudget(settings)
    requests: list[float] = []
    retries: list[float] = []
    for time, is_request in events:
        if is_request:
            budget.deposit(time)
            requests.append(time)
        elif budget.withdraw(time):
            retries.append(time)
    for end in retries:
        spent = sum(end - 10.0 + 1e-9 <= time <= end for time in retries)
        earned = sum(end - 11.0 - 1e-9 <= time <= end for time in requests)  # a request may count a slice longer
        assert spent <= ratio * earned + floor_per_s * 10.0


@given(st.lists(st.floats(0, 9.9), min_size=1, max_size=100).map(sorted))
def test_the_budget_is_never_meaner_than_promised(times: list[float]) -> None:
    budget = RetryBudget(RetryBudgetSettings(ratio=0.5, floor_per_s=0.0, ttl_s=10.0))
    for time in times:
        budget.deposit(time)
    assert len(times) // 2 == sum(budget.withdraw(times[-1]) for _ in times)
