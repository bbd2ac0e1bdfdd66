import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.hedge import Hedges, HedgeSettings

ON = HedgeSettings(enabled=True)


def taught(settings: HedgeSettings = ON, requests: int = 100) -> Hedges:
    """A hundred answers took from 0.02 to 2 times what was predicted; `requests` were begun at 0."""
    hedges = Hedges(settings)
    for hundredths in range(2, 201, 2):
        hedges.learn(10.0, hundredths / 10.0)
    for _ in range(requests):
        hedges.began(0.0)
    return hedges


def allows(hedges: Hedges, **given: float) -> bool:
    usual = {"predicted_s": 1.0, "elapsed_s": 1.95, "other_s": 0.01, "mean_wait_s": 0.0, "now": 1.0}
    return hedges.allows(**{**usual, **given})


def test_it_is_off_by_default() -> None:
    hedges = taught(HedgeSettings())
    assert math.inf == hedges.delay_s(1.0)
    assert not allows(hedges, elapsed_s=100.0)


def test_an_attempt_is_late_past_the_95th_percentile_of_its_prediction() -> None:
    hedges = taught()
    assert 1.9 == pytest.approx(hedges.delay_s(1.0))
    assert 5.7 == pytest.approx(hedges.delay_s(3.0))
    assert [False, True] == [allows(hedges, elapsed_s=1.89), allows(hedges, elapsed_s=1.91)]


def test_nothing_is_late_before_enough_was_seen() -> None:
    hedges = Hedges(ON)
    for _ in range(59):
        hedges.learn(1.0, 1.0)
    assert math.inf == hedges.delay_s(1.0)
    hedges.learn(1.0, 1.0)
    assert 1.0 == hedges.delay_s(1.0)


def test_only_the_latest_answers_count() -> None:
    hedges = Hedges(ON)
    for _ in range(500):
        hedges.learn(1.0, 9.0)
    for _ in range(500):
        hedges.learn(1.0, 3.0)
    assert 3.0 == hedges.delay_s(1.0)


@pytest.mark.parametrize("times", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_what_took_no_time_teaches_nothing(times: tuple[float, float]) -> None:
    hedges = taught()
    before = hedges.delay_s(1.0)
    for _ in range(500):
        hedges.learn(*times)
    assert before == hedges.delay_s(1.0)


def test_what_was_predicted_to_take_no_time_is_never_late() -> None:
    assert not allows(taught(), predicted_s=0.0)


def test_the_other_must_be_sooner_than_the_first_is_expected_to_be() -> None:
    hedges = taught()  # later than 1.91 were 1.92, 1.94, 1.96, 1.98 and 2.00: 0.05 more is expected
    assert not allows(hedges, elapsed_s=1.91, other_s=0.051)
    assert allows(hedges, elapsed_s=1.91, other_s=0.049)


def test_an_attempt_later_than_all_is_given_as_long_again() -> None:
    hedges = taught()
    assert [False, True] == [allows(hedges, elapsed_s=4.0, other_s=other_s) for other_s in (4.0, 3.9)]


def test_the_other_must_come_before_the_deadline() -> None:
    hedges = taught()
    assert [False, True] == [allows(hedges, elapsed_s=4.0, other_s=1.0, left_s=left_s) for left_s in (1.0, 1.1)]


def test_a_loaded_fleet_hedges_nothing() -> None:
    hedges = taught()
    assert [False, True] == [allows(hedges, mean_wait_s=wait_s) for wait_s in (0.51, 0.5)]


def test_at_most_two_in_a_hundred_are_hedged() -> None:
    assert 4 == sum(allows(taught_once) for taught_once in [taught(requests=200)] * 50)


def test_without_requests_there_are_no_hedges() -> None:
    assert not allows(taught(requests=0))


def test_what_is_not_worth_it_spends_nothing() -> None:
    hedges = taught(requests=50)
    for _ in range(10):
        assert not allows(hedges, mean_wait_s=1.0)
    assert allows(hedges)


@pytest.mark.parametrize(
    "settings",
    [
        {"quantile": 0.0},
        {"quantile": 1.0},
        {"ratio": -0.1},
        {"ratio": 1.1},
        {"ratio": float("nan")},
        {"max_wait_s": -1.0},
        {"max_wait_s": float("nan")},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        HedgeSettings(**settings)  # type: ignore[arg-type]


@given(st.lists(st.floats(0.01, 100.0), min_size=60, max_size=1200))
def test_of_the_answers_in_the_window_at_most_one_in_twenty_was_later(ratios: list[float]) -> None:
    hedges = Hedges(ON)
    for ratio in ratios:
        hedges.learn(1.0, ratio)
    window = ratios[-500:]
    assert sum(ratio > hedges.delay_s(1.0) for ratio in window) <= 0.05 * len(window)
    assert sum(ratio >= hedges.delay_s(1.0) for ratio in window) >= 0.05 * len(window)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 300)), max_size=400).map(
        lambda each: sorted(each, key=lambda x: x[1])
    )
)
def test_hedges_stay_within_their_share_of_the_requests(events: list[tuple[bool, float]]) -> None:
    hedges = taught(requests=0)
    requests = hedged = 0
    for is_request, now in events:
        if is_request:
            hedges.began(now)
            requests += 1
        else:
            hedged += allows(hedges, now=now)
    assert hedged <= 0.02 * requests
