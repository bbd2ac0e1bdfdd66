from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.key import ANONYMOUS, NANO, UNLIMITED, Budget, Interval, Key, Scope, Window

TIMES = st.integers(0, 4_102_444_800_000).map(lambda ms: ms / 1e3)  # until the year 2100


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("interval", "moment", "start", "end"),
    [
        (Interval.DAILY, "2026-11-25T23:59:59.999", "2026-11-25", "2026-11-26"),
        (Interval.DAILY, "2026-11-26", "2026-11-26", "2026-11-27"),
        (Interval.DAILY, "2028-02-28T12:00", "2028-02-28", "2028-02-29"),
        (Interval.DAILY, "2026-12-31T12:00", "2026-12-31", "2027-01-01"),
        (Interval.WEEKLY, "2026-11-23", "2026-11-23", "2026-11-30"),  # a Monday
        (Interval.WEEKLY, "2026-11-29T23:59:59", "2026-11-23", "2026-11-30"),  # a Sunday
        (Interval.WEEKLY, "2027-01-01", "2026-12-28", "2027-01-04"),  # begins in another year
        (Interval.WEEKLY, "2028-03-01", "2028-02-28", "2028-03-06"),  # holds a leap day
        (Interval.MONTHLY, "2026-11-30T23:59:59", "2026-11-01", "2026-12-01"),
        (Interval.MONTHLY, "2026-12-31", "2026-12-01", "2027-01-01"),
        (Interval.MONTHLY, "2027-01-31", "2027-01-01", "2027-02-01"),
        (Interval.MONTHLY, "2027-02-28T23:59", "2027-02-01", "2027-03-01"),
        (Interval.MONTHLY, "2028-02-29", "2028-02-01", "2028-03-01"),  # leap year
        (Interval.MONTHLY, "2100-02-28", "2100-02-01", "2100-03-01"),  # none, though divisible by four
    ],
)
def test_windows_begin_and_end_at_midnight_utc(interval: Interval, moment: str, start: str, end: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    assert (unix(start), unix(end)) == (interval.start(at), interval.end(at))


def test_a_lifetime_begins_with_time_and_never_ends() -> None:
    assert (0, None) == (Interval.LIFETIME.start(1_800_000_000.5), Interval.LIFETIME.end(1_800_000_000.5))


@given(st.sampled_from(Interval), TIMES)
def test_every_moment_lies_in_its_window_and_a_window_begins_in_itself(interval: Interval, moment: float) -> None:
    start, end = interval.start(moment), interval.end(moment)
    assert start <= moment
    assert start == interval.start(start)
    if end is not None:
        assert moment < end
        assert end == interval.end(start)
        assert end == interval.start(end)  # the next begins where this one ends
        assert start == interval.start(end - 1)


def test_a_budget_counts_its_owners_spending_in_the_window_of_the_moment() -> None:
    budget = Budget(Scope.KEY, "key:a", Interval.DAILY, 5 * NANO)
    assert Window("key:a", Interval.DAILY, unix("2026-11-25")) == budget.window(unix("2026-11-25T10:00"))


def test_what_a_key_spends_counts_for_it_and_for_its_workspace() -> None:
    assert ("key:a", "workspace:default") == Key("a", "A").owners
    assert ("key:a", "workspace:w") == Key("a", "A", workspace="w").owners


def test_a_key_expires_at_its_time_and_not_before() -> None:
    key = Key("a", "A", expires_at=100.0)
    assert [False, True, True] == [key.has_expired(unix_s) for unix_s in (99.9, 100.0, 101.0)]
    assert not Key("a", "A").has_expired(1e12)


def test_keys_are_equal_by_value() -> None:
    assert {Key("a", "A", rates=UNLIMITED)} == {Key("a", "A")}


def test_a_caller_without_a_name_is_without_limits_but_may_not_administer() -> None:
    assert (False, UNLIMITED, (), None) == (
        ANONYMOUS.is_management,
        ANONYMOUS.rates,
        ANONYMOUS.budgets,
        ANONYMOUS.models,
    )
