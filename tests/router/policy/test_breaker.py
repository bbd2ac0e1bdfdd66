import pytest

from router.policy.breaker import Breaker, BreakerSettings, Fault, Permit, State, fault_of
from router.policy.outcome import Outcome, Phase, Verdict

OK = Outcome(Verdict.OK, status=200)
REFUSED = Outcome(Verdict.UNAVAILABLE)
ERROR = Outcome(Verdict.UNAVAILABLE, status=500)
SILENT = Outcome(Verdict.TIMEOUT, phase=Phase.FIRST_TOKEN)
CANCELLED = Outcome(Verdict.CANCELLED)
REJECTED = Outcome(Verdict.REJECTED, status=400)


def attempt(breaker: Breaker, outcome: Outcome, now: float) -> None:
    breaker.release(breaker.acquire(now), outcome, now)


def opened(fault: Outcome = SILENT, now: float = 0.0) -> Breaker:
    breaker = Breaker(BreakerSettings())
    attempt(breaker, fault, now)
    attempt(breaker, fault, now)
    assert State.OPEN is breaker.state(now)
    return breaker


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (OK, None),
        (REJECTED, None),
        (CANCELLED, None),
        (Outcome(Verdict.OVERLOADED, status=503), None),
        (Outcome(Verdict.RATE_LIMITED, status=429), None),
        (Outcome(Verdict.TIMEOUT, phase=Phase.TOTAL), None),
        (REFUSED, Fault.REFUSED),
        (Outcome(Verdict.TIMEOUT, phase=Phase.CONNECT), Fault.REFUSED),
        (SILENT, Fault.SILENT),
        (Outcome(Verdict.TIMEOUT, phase=Phase.IDLE), Fault.SILENT),
        (ERROR, Fault.FAILING),
        (Outcome(Verdict.BROKEN, status=200), Fault.FAILING),
        (Outcome(Verdict.BROKEN), Fault.FAILING),
    ],
)
def test_an_outcome_proves_a_fault_or_none(outcome: Outcome, fault: Fault | None) -> None:
    assert fault is fault_of(outcome)


def test_a_new_breaker_lets_traffic_through() -> None:
    breaker = Breaker(BreakerSettings())
    assert (State.CLOSED, True, None) == (breaker.state(0.0), breaker.is_available(0.0), breaker.fault)


@pytest.mark.parametrize(("outcome", "fault"), [(REFUSED, Fault.REFUSED), (SILENT, Fault.SILENT)])
def test_two_unanswered_attempts_in_a_row_open_it(outcome: Outcome, fault: Fault) -> None:
    breaker = Breaker(BreakerSettings())
    attempt(breaker, outcome, 0.0)
    assert breaker.is_available(0.0)
    attempt(breaker, outcome, 0.0)
    assert (State.OPEN, False, fault) == (breaker.state(0.0), breaker.is_available(0.0), breaker.fault)


@pytest.mark.parametrize("answer", [OK, REJECTED, ERROR, Outcome(Verdict.OVERLOADED, status=503, retry_after_s=0.0)])
def test_any_answer_between_ends_the_row(answer: Outcome) -> None:
    breaker = Breaker(BreakerSettings())
    for outcome in (REFUSED, answer, REFUSED):
        attempt(breaker, outcome, 0.0)
    assert State.CLOSED is breaker.state(0.0)


@pytest.mark.parametrize("nothing", [CANCELLED, Outcome(Verdict.TIMEOUT, phase=Phase.TOTAL)])
def test_what_the_client_did_does_not_end_the_row(nothing: Outcome) -> None:
    breaker = Breaker(BreakerSettings())
    for outcome in (REFUSED, nothing, REFUSED):
        attempt(breaker, outcome, 0.0)
    assert State.OPEN is breaker.state(0.0)


def test_a_first_byte_ends_the_row() -> None:
    breaker = Breaker(BreakerSettings())
    attempt(breaker, REFUSED, 0.0)
    breaker.first_byte(breaker.acquire(0.0), 0.0)
    attempt(breaker, REFUSED, 0.0)
    assert State.CLOSED is breaker.state(0.0)


def test_server_errors_open_it_at_the_minimum_volume() -> None:
    breaker = Breaker(BreakerSettings(minimum_volume=5))
    states = []
    for _ in range(5):
        attempt(breaker, ERROR, 0.0)
        states.append(breaker.state(0.0))
    assert [State.CLOSED] * 4 + [State.OPEN] == states
    assert Fault.FAILING is breaker.fault


def test_a_share_of_faults_below_the_ratio_is_borne() -> None:
    breaker = Breaker(BreakerSettings(failure_ratio=0.5))
    for outcome in [OK, OK, ERROR] * 20:
        attempt(breaker, outcome, 0.0)
    assert State.CLOSED is breaker.state(0.0)


def test_a_share_of_faults_at_the_ratio_opens() -> None:
    breaker = Breaker(BreakerSettings(failure_ratio=0.5, minimum_volume=6))
    for outcome in [OK, ERROR] * 3:
        attempt(breaker, outcome, 0.0)
    assert State.OPEN is breaker.state(0.0)


def test_old_faults_are_forgotten() -> None:
    breaker = Breaker(BreakerSettings(window_s=30.0, minimum_volume=5))
    for _ in range(4):
        attempt(breaker, ERROR, 0.0)
    attempt(breaker, ERROR, 40.0)
    assert State.CLOSED is breaker.state(40.0)


def test_the_clients_faults_are_not_counted() -> None:
    breaker = Breaker(BreakerSettings(minimum_volume=5))
    for outcome in [ERROR] * 4 + [REJECTED] * 100 + [CANCELLED] * 100:
        attempt(breaker, outcome, 0.0)
    assert State.CLOSED is breaker.state(0.0)


def test_after_the_wait_one_probe_is_let_through() -> None:
    breaker = opened(now=100.0)
    assert (State.OPEN, False) == (breaker.state(104.9), breaker.is_available(104.9))
    assert (State.HALF_OPEN, True) == (breaker.state(105.0), breaker.is_available(105.0))
    breaker.acquire(105.0)
    assert (State.HALF_OPEN, False) == (breaker.state(105.0), breaker.is_available(105.0))


def test_a_good_probe_closes() -> None:
    breaker = opened()
    attempt(breaker, OK, 5.0)
    assert (State.CLOSED, True) == (breaker.state(5.0), breaker.is_available(5.0))


def test_a_failed_probe_doubles_the_wait_up_to_the_longest() -> None:
    breaker = opened()
    now = 0.0
    waits = []
    for _ in range(5):
        wait = next(s for s in range(1, 100) if breaker.is_available(now + s))
        waits.append(wait)
        now += wait
        attempt(breaker, SILENT, now)
    assert [5, 10, 20, 40, 60] == waits


def test_a_refusing_endpoint_is_probed_sooner() -> None:
    breaker = opened(REFUSED)
    assert (False, True) == (breaker.is_available(0.9), breaker.is_available(1.0))
    for now, until in ((1.0, 3.0), (3.0, 7.0), (7.0, 12.0), (12.0, 17.0)):
        attempt(breaker, REFUSED, now)
        assert until == breaker.blocked_until(now)


def test_the_wait_starts_over_once_it_was_closed() -> None:
    breaker = opened()
    attempt(breaker, SILENT, 5.0)
    attempt(breaker, OK, 15.0)
    for _ in range(2):
        attempt(breaker, SILENT, 15.0)
    assert (False, True) == (breaker.is_available(19.9), breaker.is_available(20.0))


@pytest.mark.parametrize("nothing", [CANCELLED, REJECTED, Outcome(Verdict.TIMEOUT, phase=Phase.TOTAL)])
def test_a_probe_that_proves_nothing_frees_its_place(nothing: Outcome) -> None:
    breaker = opened()
    attempt(breaker, nothing, 5.0)
    assert (State.HALF_OPEN, True) == (breaker.state(5.0), breaker.is_available(5.0))


def test_a_probe_that_meets_back_pressure_frees_its_place_and_waits() -> None:
    breaker = opened()
    attempt(breaker, Outcome(Verdict.OVERLOADED, status=503, retry_after_s=3.0), 5.0)
    assert State.HALF_OPEN is breaker.state(5.0)
    assert (False, True) == (breaker.is_available(7.9), breaker.is_available(8.0))


def test_the_probes_first_byte_closes_and_the_end_of_its_stream_still_counts() -> None:
    breaker = opened()
    probe = breaker.acquire(5.0)
    breaker.first_byte(probe, 6.0)
    assert State.CLOSED is breaker.state(6.0)
    attempt(breaker, SILENT, 6.0)
    breaker.release(probe, Outcome(Verdict.TIMEOUT, phase=Phase.IDLE), 90.0)
    assert State.OPEN is breaker.state(90.0)


def test_a_first_byte_after_the_release_changes_nothing() -> None:
    breaker = opened()
    probe = breaker.acquire(5.0)
    breaker.release(probe, CANCELLED, 5.0)
    breaker.first_byte(probe, 5.0)
    assert State.HALF_OPEN is breaker.state(5.0)


def test_a_first_byte_of_an_older_generation_changes_nothing() -> None:
    breaker = Breaker(BreakerSettings())
    old = breaker.acquire(0.0)
    for _ in range(2):
        attempt(breaker, SILENT, 0.0)
    breaker.first_byte(old, 5.0)
    assert State.HALF_OPEN is breaker.state(5.0)


@pytest.mark.parametrize("outcome", [OK, ERROR, SILENT, Outcome(Verdict.OVERLOADED, retry_after_s=50.0)])
def test_late_answers_of_an_older_generation_change_nothing(outcome: Outcome) -> None:
    breaker = Breaker(BreakerSettings())
    old: list[Permit] = [breaker.acquire(0.0) for _ in range(20)]
    for _ in range(2):
        attempt(breaker, SILENT, 0.0)
    for permit in old[:10]:
        breaker.release(permit, outcome, 5.0)
    assert (State.HALF_OPEN, True, 0.0) == (breaker.state(5.0), breaker.is_available(5.0), breaker.blocked_until(5.0))
    attempt(breaker, OK, 5.0)
    for permit in old[10:]:
        breaker.release(permit, outcome, 5.0)
    assert (State.CLOSED, True) == (breaker.state(5.0), breaker.is_available(5.0))


def test_a_permit_released_twice_counts_once() -> None:
    breaker = Breaker(BreakerSettings())
    permit = breaker.acquire(0.0)
    breaker.release(permit, SILENT, 0.0)
    breaker.release(permit, SILENT, 0.0)
    assert State.CLOSED is breaker.state(0.0)


def test_traffic_that_came_through_in_spite_of_an_open_breaker_can_close_but_not_prolong_it() -> None:
    breaker = opened()
    attempt(breaker, SILENT, 1.0)
    assert (False, True) == (breaker.is_available(4.9), breaker.is_available(5.0))
    attempt(breaker, OK, 2.0)
    assert State.CLOSED is breaker.state(2.0)


def test_an_attempt_beside_the_probe_does_not_take_its_place() -> None:
    breaker = opened()
    probe = breaker.acquire(5.0)
    attempt(breaker, SILENT, 5.0)
    assert not breaker.is_available(5.0)
    breaker.release(probe, CANCELLED, 5.0)
    assert breaker.is_available(5.0)


@pytest.mark.parametrize("verdict", [Verdict.OVERLOADED, Verdict.RATE_LIMITED])
@pytest.mark.parametrize(("retry_after_s", "pause_s"), [(None, 1.0), (7.0, 7.0), (86400.0, 60.0)])
def test_back_pressure_is_obeyed_without_ejecting(
    verdict: Verdict, retry_after_s: float | None, pause_s: float
) -> None:
    breaker = Breaker(BreakerSettings(hold_off_s=1.0, hold_off_max_s=60.0))
    for _ in range(10):
        attempt(breaker, Outcome(verdict, retry_after_s=retry_after_s), 100.0)
    assert (State.CLOSED, False, True) == (
        breaker.state(100.0),
        breaker.is_available(99.9 + pause_s),
        breaker.is_available(100.0 + pause_s),
    )
    assert 100.0 + pause_s == breaker.blocked_until(100.0)
    assert breaker.is_backing_off(100.0)


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    breaker = Breaker(BreakerSettings())
    breaker.hold_off(30.0)
    breaker.hold_off(10.0)
    assert 30.0 == breaker.blocked_until(0.0)


def test_a_refusing_endpoint_whose_probe_stays_out_has_accepted_it() -> None:
    breaker = opened(REFUSED)
    breaker.acquire(4.0)
    assert 5.0 == breaker.blocked_until(4.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"window_s": 0.0},
        {"open_s": -1.0},
        {"open_max_s": float("nan")},
        {"refused_open_s": 0.0},
        {"hold_off_s": 0.0},
        {"hold_off_max_s": 0.0},
        {"minimum_volume": 0},
        {"consecutive_unanswered": 0},
        {"failure_ratio": 0.0},
        {"failure_ratio": 1.1},
        {"panic_ratio": -0.1},
        {"panic_ratio": 1.1},
        {"open_max_s": 4.0},
        {"open_s": 0.5},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        BreakerSettings(**settings)  # type: ignore[arg-type]


def test_only_a_half_open_breaker_wants_a_probe_and_one_at_a_time() -> None:
    breaker = opened(REFUSED)
    assert [False, True] == [breaker.wants_probe(now) for now in (0.5, 1.0)]
    breaker.acquire(1.0)
    assert not breaker.wants_probe(1.0)
    assert not Breaker(BreakerSettings()).wants_probe(1.0)
