import pytest

from router.policy.catalog import EndpointId
from router.policy.slow_start import SlowStart, SlowStartSettings

A, B = EndpointId("a"), EndpointId("b")


def test_who_was_always_there_is_warm() -> None:
    slow_start = SlowStart(SlowStartSettings())
    assert (1.0, True) == (slow_start.warmth(A, 0.0), slow_start.is_over)


def test_a_new_replica_warms_up_over_the_window() -> None:
    slow_start = SlowStart(SlowStartSettings(window_s=30.0, least=0.1))
    slow_start.began(A, 100.0)
    assert [0.1, 0.1, 0.5] == [slow_start.warmth(A, now) for now in (100.0, 102.0, 115.0)]
    assert not slow_start.is_over
    assert (1.0, True) == (slow_start.warmth(A, 130.0), slow_start.is_over)


def test_a_replica_is_new_once() -> None:
    slow_start = SlowStart(SlowStartSettings())
    slow_start.began(A, 0.0)
    slow_start.began(A, 20.0)
    assert 1.0 == slow_start.warmth(A, 30.0)
    slow_start.began(A, 40.0)
    assert 1.0 == slow_start.warmth(A, 40.0)


def test_a_replica_that_left_and_came_back_is_new_again() -> None:
    slow_start = SlowStart(SlowStartSettings())
    slow_start.began(A, 0.0)
    slow_start.forget(A)
    assert slow_start.is_over
    slow_start.began(A, 100.0)
    assert 0.1 == slow_start.warmth(A, 100.0)
    slow_start.forget(B)


def test_without_a_window_a_new_replica_counts_whole() -> None:
    slow_start = SlowStart(SlowStartSettings(window_s=0.0))
    slow_start.began(A, 5.0)
    assert 1.0 == slow_start.warmth(A, 5.0)


@pytest.mark.parametrize("settings", [{"window_s": -1.0}, {"window_s": float("nan")}, {"least": 0.0}, {"least": 1.1}])
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        SlowStartSettings(**settings)
