"""What is measured of pools, over windows that move."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.outcome import Outcome, Phase, Verdict
from router.policy.performance import DAY_S, PUBLISHED_WINDOW_S, ROUTING_WINDOW_S, Performance, went_well


def ended(performance: Performance, now: float, *, ok: int = 0, failed: int = 0, pool: str = "p") -> None:
    for is_well in [True] * ok + [False] * failed:
        performance.note(pool, now, ok=is_well, first_token_s=None, tokens_per_s=None)


def first_tokens(performance: Performance, now: float, values: Sequence[float]) -> None:
    for value in values:
        performance.note("p", now, ok=None, first_token_s=value, tokens_per_s=None)


def test_of_a_pool_that_was_never_used_nothing_is_known() -> None:
    performance = Performance()
    assert performance.latency("p", 0.0, 300.0) is None
    assert performance.throughput("p", 0.0, 300.0) is None
    assert performance.uptime("p", 0.0, 300.0) is None
    assert performance.tool_success("p", 0.0, 300.0) is None
    assert not performance.had_outage("p", 0.0, 30.0)


def test_what_was_not_told_stays_unknown() -> None:
    performance = Performance()
    ended(performance, 0.0, ok=1)
    assert performance.latency("p", 0.0, 300.0) is None
    assert performance.throughput("p", 0.0, 300.0) is None
    assert performance.tool_success("p", 0.0, 300.0) is None
    first_tokens(performance, 0.0, [1.0])
    assert 1.0 == performance.uptime("p", 0.0, 300.0)


def test_percentiles_are_those_of_what_was_told() -> None:
    performance = Performance()
    first_tokens(performance, 5.0, [each / 100 for each in range(1, 101)])
    found = performance.latency("p", 5.0, ROUTING_WINDOW_S)
    assert found is not None
    assert [0.5, 0.75, 0.9, 0.99] == pytest.approx([found.p50, found.p75, found.p90, found.p99], rel=0.05)


def test_throughput_is_measured_for_itself() -> None:
    performance = Performance()
    performance.note("p", 0.0, ok=True, first_token_s=0.2, tokens_per_s=50.0)
    found = performance.throughput("p", 0.0, ROUTING_WINDOW_S)
    assert found is not None
    assert 50.0 == pytest.approx(found.p50, rel=0.05)


def test_old_values_leave_the_shorter_window_first() -> None:
    performance = Performance()
    first_tokens(performance, 0.0, [8.0])
    first_tokens(performance, 400.0, [1.0])

    def most(now: float, window_s: float) -> float:
        found = performance.latency("p", now, window_s)
        assert found is not None
        return found.p50

    assert 1.0 == pytest.approx(most(400.0, ROUTING_WINDOW_S), rel=0.05)
    assert 8.0 == pytest.approx(most(0.0, ROUTING_WINDOW_S), rel=0.05)
    first_tokens(performance, 400.0, [8.0] * 9)
    assert 8.0 == pytest.approx(most(400.0, PUBLISHED_WINDOW_S), rel=0.05)
    assert performance.latency("p", 2_300.0, PUBLISHED_WINDOW_S) is None


def test_a_new_value_in_an_old_slot_replaces_what_was_there() -> None:
    performance = Performance()
    first_tokens(performance, 0.0, [8.0] * 10)
    ended(performance, 0.0, failed=10)
    later = DAY_S + 60.0  # the same slot of every ring
    first_tokens(performance, later, [1.0])
    ended(performance, later, ok=1)
    found = performance.latency("p", later, PUBLISHED_WINDOW_S)
    assert found is not None
    assert found.p99 < 2.0
    assert 1.0 == performance.uptime("p", later, DAY_S)


def test_few_values_count_at_once_and_many_within_a_second() -> None:
    performance = Performance()
    first_tokens(performance, 0.0, [1.0])
    assert performance.latency("p", 0.0, 300.0) == performance.latency("p", 0.0, 300.0)
    first_tokens(performance, 0.0, [9.0] * 300)
    crowd = performance.latency("p", 0.0, 300.0)
    assert crowd is not None
    assert crowd.p50 > 8.0
    first_tokens(performance, 0.5, [0.1] * 1_000)
    assert crowd == performance.latency("p", 0.5, 300.0)
    fresh = performance.latency("p", 1.0, 300.0)
    assert fresh is not None
    assert fresh.p50 < 0.2


def test_uptime_is_the_share_of_good_minutes_of_those_with_ten_attempts() -> None:
    performance = Performance()
    ended(performance, 0.0, ok=8, failed=2)
    ended(performance, 60.0, ok=7, failed=3)
    ended(performance, 120.0, failed=9)
    ended(performance, 180.0, ok=10)
    assert 2 / 3 == performance.uptime("p", 180.0, 300.0)


def test_a_window_without_such_a_minute_is_judged_by_its_attempts() -> None:
    performance = Performance()
    ended(performance, 0.0, ok=3)
    ended(performance, 60.0, failed=1)
    assert 0.75 == performance.uptime("p", 60.0, 300.0)


def test_minutes_leave_after_their_window() -> None:
    performance = Performance()
    ended(performance, 0.0, failed=10)
    ended(performance, 1_000.0, ok=10)
    assert (1.0, 0.5, 0.5) == tuple(performance.uptime("p", 1_000.0, window) for window in (300.0, 1_800.0, DAY_S))


@pytest.mark.parametrize(
    ("ok", "failed", "is_down"), [(0, 1, False), (0, 2, True), (8, 2, False), (7, 2, True), (7, 3, True), (9, 0, False)]
)
def test_an_outage_is_more_than_chance_and_less_than_four_fifths(ok: int, failed: int, is_down: bool) -> None:
    performance = Performance()
    ended(performance, 100.0, ok=ok, failed=failed)
    assert is_down == performance.had_outage("p", 100.0, 30.0)
    assert not performance.had_outage("p", 141.0, 30.0)


@pytest.mark.parametrize(
    ("outcome", "is_well"),
    [
        (Outcome(Verdict.OK), True),
        (Outcome(Verdict.UNAVAILABLE, 500), False),
        (Outcome(Verdict.BROKEN), False),
        (Outcome(Verdict.TIMEOUT, phase=Phase.FIRST_TOKEN), False),
        (Outcome(Verdict.TIMEOUT, phase=Phase.TOTAL), None),
        (Outcome(Verdict.REJECTED, 400), None),
        (Outcome(Verdict.REJECTED, 403), None),
        (Outcome(Verdict.REJECTED, 404), False),
        (Outcome(Verdict.RATE_LIMITED, 429), None),
        (Outcome(Verdict.OVERLOADED, 503), None),
        (Outcome(Verdict.CANCELLED), None),
    ],
)
def test_only_what_the_pool_did_is_held_against_it(outcome: Outcome, is_well: bool | None) -> None:
    assert is_well is went_well(outcome)


def test_tool_calls_are_counted_for_themselves() -> None:
    performance = Performance()
    for well_formed in (True, True, True, False):
        performance.note("p", 0.0, ok=True, first_token_s=None, tokens_per_s=None, tools_ok=well_formed)
    assert 0.75 == performance.tool_success("p", 0.0, 1_800.0)


@given(
    st.lists(st.tuples(st.floats(0, 400), st.booleans()), min_size=1, max_size=60),
    st.sampled_from([30.0, 300.0, 1_800.0]),
)
def test_uptime_is_a_share(events: list[tuple[float, bool]], window_s: float) -> None:
    performance = Performance()
    now = 0.0
    for gap, ok in events:
        now += gap
        ended(performance, now, ok=ok, failed=not ok)
    uptime = performance.uptime("p", now, window_s)
    assert uptime is not None
    assert 0.0 <= uptime <= 1.0
