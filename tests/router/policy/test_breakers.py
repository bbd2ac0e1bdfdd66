from hypothesis import given
from hypothesis import strategies as st

from router.policy.breaker import Breaker, BreakerSettings, State
from router.policy.breakers import Breakers
from router.policy.catalog import Endpoint, EndpointId
from router.policy.outcome import Outcome, Phase, Verdict

REFUSED = [Outcome(Verdict.UNAVAILABLE)] * 2
SILENT = [Outcome(Verdict.TIMEOUT, phase=Phase.FIRST_TOKEN)] * 2
FAILING = [Outcome(Verdict.UNAVAILABLE, status=500)] * 5
BUSY = [Outcome(Verdict.OVERLOADED, status=503, retry_after_s=8.0)]
HEALTHY = [Outcome(Verdict.OK, status=200)]


def fleet(*histories: list[Outcome]) -> tuple[Breakers, list[Endpoint]]:
    """Endpoints named by number, each of which has just been through its history at second 0."""
    breakers = Breakers(BreakerSettings())
    endpoints = []
    for number, history in enumerate(histories):
        endpoint = Endpoint(EndpointId(str(number)), f"http://10.0.0.{number}:8000")
        for outcome in history:
            breaker = breakers.of(endpoint.id)
            breaker.release(breaker.acquire(0.0), outcome, 0.0)
        endpoints.append(endpoint)
    return breakers, endpoints


def usable(*histories: list[Outcome], now: float = 0.0) -> list[str]:
    breakers, endpoints = fleet(*histories)
    return [str(endpoint.id) for endpoint in breakers.available(endpoints, now)]


def test_an_unknown_endpoint_is_usable() -> None:
    assert ["0", "1"] == usable([], [])


def test_ejected_and_busy_endpoints_are_left_out() -> None:
    assert ["0", "5", "6", "7", "8"] == usable(
        HEALTHY, REFUSED, SILENT, FAILING, BUSY, HEALTHY, HEALTHY, HEALTHY, HEALTHY
    )


def test_half_of_the_fleet_may_be_ejected() -> None:
    assert ["1"] == usable(FAILING, HEALTHY)


def test_below_half_the_failing_are_used_again_but_not_the_silent_and_refusing() -> None:
    assert ["0", "1"] == usable(HEALTHY, FAILING, SILENT, REFUSED)


def test_a_failing_endpoint_that_asked_for_a_pause_gets_it_even_in_a_panic() -> None:
    breakers, endpoints = fleet(HEALTHY, FAILING, FAILING)
    breakers.of(endpoints[1].id).hold_off(9.0)
    assert [endpoints[0], endpoints[2]] == breakers.available(endpoints, 0.0)


def test_a_busy_endpoint_is_healthy() -> None:
    assert ["0"] == usable(HEALTHY, BUSY, FAILING)


def test_the_last_endpoint_is_never_ejected_on_suspicion() -> None:
    assert ["0"] == usable(SILENT)
    assert ["0"] == usable(FAILING)
    assert ["1"] == usable(REFUSED, SILENT)
    assert ["1"] == usable(BUSY, SILENT)


def test_a_lone_refusing_endpoint_is_told_by_when_to_come_back() -> None:
    breakers, endpoints = fleet(REFUSED)
    assert ([], 0.75) == (breakers.available(endpoints, 0.25), breakers.retry_after(endpoints, 0.25))
    assert (endpoints, None) == (breakers.available(endpoints, 1.0), breakers.retry_after(endpoints, 1.0))


def test_a_lone_refusing_endpoint_is_used_once_its_probe_has_been_accepted() -> None:
    breakers, endpoints = fleet(REFUSED)
    breakers.of(endpoints[0].id).acquire(3.0)
    assert ([], 0.5) == (breakers.available(endpoints, 3.5), breakers.retry_after(endpoints, 3.5))
    assert (endpoints, None) == (breakers.available(endpoints, 4.0), breakers.retry_after(endpoints, 4.0))


def test_the_earliest_time_to_come_back_counts() -> None:
    breakers, endpoints = fleet(BUSY, REFUSED, BUSY)
    assert 1.0 == breakers.retry_after(endpoints, 0.0)


def test_nothing_is_said_of_an_empty_fleet() -> None:
    breakers, _ = fleet()
    assert ([], None) == (breakers.available([], 0.0), breakers.retry_after([], 0.0))


def test_states_are_told_per_endpoint() -> None:
    breakers, _ = fleet(HEALTHY, SILENT, REFUSED)
    assert {"0": State.CLOSED, "1": State.OPEN, "2": State.HALF_OPEN} == breakers.states(1.0)


def test_an_endpoint_that_left_and_came_back_starts_afresh() -> None:
    breakers, endpoints = fleet(REFUSED)
    old = breakers.of(endpoints[0].id)
    breakers.forget(endpoints[0].id)
    breakers.forget(endpoints[0].id)
    assert {} == breakers.states(0.0)
    assert breakers.of(endpoints[0].id).is_available(0.0)
    assert old is not breakers.of(endpoints[0].id)


def is_refusing_or_backing_off(breaker: Breaker, now: float) -> bool:
    return breaker.blocked_until(now) > now


@given(
    st.lists(
        st.lists(st.sampled_from([*REFUSED, *SILENT, *FAILING, *BUSY, *HEALTHY]), max_size=12), min_size=1, max_size=6
    ),
    st.floats(0, 20),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_there_is_always_an_endpoint_or_a_time_to_come_back(
    histories: list[list[Outcome]], now: float, has_probe: list[bool]
) -> None:
    breakers, endpoints = fleet(*histories)
    for endpoint, is_taken in zip(endpoints, has_probe, strict=False):
        if is_taken:
            breakers.of(endpoint.id).acquire(now)
    chosen = breakers.available(endpoints, now)
    wait = breakers.retry_after(endpoints, now)
    assert [endpoint for endpoint in endpoints if endpoint in chosen] == list(chosen)
    assert all(not is_refusing_or_backing_off(breakers.of(endpoint.id), now) for endpoint in chosen)
    if chosen:
        assert wait is None
    else:
        assert all(is_refusing_or_backing_off(breakers.of(endpoint.id), now) for endpoint in endpoints)
        assert wait is not None
        assert wait > 0
        assert breakers.available(endpoints, now + wait + 1e-6)


def test_an_attempt_that_ends_badly_after_its_endpoint_has_left_leaves_nothing_behind() -> None:
    breakers, (first, second) = fleet([], [])
    gone = breakers.of(first.id)
    permits = [gone.acquire(0.0), gone.acquire(0.0)]
    breakers.forget(first.id)
    for permit in permits:
        gone.release(permit, Outcome(Verdict.UNAVAILABLE), 0.0)
    assert [second] == breakers.available([second], 0.0)
    assert first.id not in breakers.states(0.0)
