import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.admission import Admission, AdmissionSettings
from router.policy.call import Call, Priority

BATCH, NORMAL, CRITICAL = Priority.BATCH, Priority.NORMAL, Priority.CRITICAL


PROMISE = AdmissionSettings(first_token_s=10.0)


def longest(
    own_s: float,
    priority: Priority = NORMAL,
    *,
    whole_s: float | None = None,
    asked_s: float | None = None,
    streams: int = 3,
    settings: AdmissionSettings = PROMISE,
    first_token_s: float = 60.0,
) -> float:
    """What may be waited by a call whose prompt is not cached, unless `whole_s` says that it is longer."""
    call = Call("m", priority=priority, first_token_s=asked_s)
    whole_s = own_s if whole_s is None else whole_s
    (wait_s,) = Admission(settings, first_token_s).longest_waits(call, [own_s], whole_s, [streams])
    return wait_s


def test_what_the_own_prompt_leaves_of_the_promise_may_be_waited_in_part() -> None:
    assert [0.25 * 10.0 - 1.0, 0.52 * 10.0 - 1.0] == [longest(1.0, priority) for priority in (BATCH, NORMAL)]


def test_critical_calls_may_wait_for_ever_but_for_a_deadline_of_their_own() -> None:
    assert [math.inf, 4.0] == [longest(1.0, CRITICAL), longest(1.0, CRITICAL, asked_s=5.0)]


def test_a_deadline_of_the_callers_own_can_only_be_sooner_and_may_be_used_up() -> None:
    assert [2.0, 0.52 * 10.0 - 1.0] == [longest(1.0, asked_s=asked_s) for asked_s in (3.0, 50.0)]


def test_a_long_prompt_is_promised_more_and_a_cached_one_may_wait_longer() -> None:
    assert [pytest.approx(0.8), pytest.approx(18.8)] == [longest(20.0), longest(2.0, whole_s=20.0)]


def test_who_has_an_endpoint_to_himself_is_never_refused_for_a_promise() -> None:
    assert (0.0, True) == (longest(50.0, BATCH, streams=0), longest(50.0, BATCH, streams=1) < 0)


def test_a_caller_that_wants_more_than_can_be_is_late_at_once() -> None:
    assert longest(5.0, asked_s=4.0) < 0


def test_without_a_promise_normal_calls_may_use_the_whole_deadline() -> None:
    assert 59.0 == longest(1.0, settings=AdmissionSettings())


def test_each_endpoint_has_its_own_figure() -> None:
    admission = Admission(AdmissionSettings(first_token_s=10.0, normal_margin=1.0), 60.0)
    assert [19.0, 18.0, -5.0] == admission.longest_waits(Call("m"), [1.0, 2.0, 25.0], 10.0, [1, 1, 1])


def test_the_fleet_is_saturated_when_even_the_shortest_wait_is_long() -> None:
    admission = Admission(AdmissionSettings(saturated_s=1.0), 60.0)
    assert [False, True] == [admission.is_saturated(wait_s) for wait_s in (1.0, 1.1)]
    assert not Admission(AdmissionSettings(saturated_s=None), 60.0).is_saturated(1e9)


@pytest.mark.parametrize(
    "settings",
    [
        {"first_token_s": 0.0},
        {"first_token_s": float("nan")},
        {"length_factor": 0.9},
        {"length_factor": float("nan")},
        {"batch_margin": 0.0},
        {"normal_margin": 1.1},
        {"saturated_s": 0.0},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        AdmissionSettings(**settings)


@given(st.floats(0, 1000), st.one_of(st.none(), st.floats(0, 1000)))
def test_a_higher_priority_may_always_wait_as_long(own_s: float, asked_s: float | None) -> None:
    batch, normal, critical = (longest(own_s, priority, asked_s=asked_s) for priority in (BATCH, NORMAL, CRITICAL))
    assert batch <= normal <= critical


@given(st.floats(0, 1000))
def test_an_idle_fleet_refuses_nobody_for_a_configured_promise(own_s: float) -> None:
    assert longest(own_s, streams=0) >= 0
