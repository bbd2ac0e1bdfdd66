from hypothesis import given
from hypothesis import strategies as st

from router.policy.rolling import RollingCount


def test_events_leave_when_the_window_has_passed() -> None:
    count = RollingCount(10.0)
    count.add(100.0)
    count.add(104.0)
    assert [2, 1, 0] == [count.total(109.0), count.total(112.0), count.total(116.0)]


def test_clear_forgets_everything() -> None:
    count = RollingCount(10.0)
    count.add(100.0)
    count.clear()
    assert 0 == count.total(100.0)
    count.add(101.0)
    assert 1 == count.total(101.0)


def test_a_long_silence_forgets_everything() -> None:
    count = RollingCount(10.0)
    count.add(1.0)
    assert 0 == count.total(1e9)


@given(st.lists(st.floats(0, 30), max_size=60).map(sorted), st.floats(0, 40))
def test_the_count_covers_the_window_and_at_most_a_slice_more(times: list[float], later: float) -> None:
    count = RollingCount(10.0)
    for time in times:
        count.add(time)
    now = max([later, *times])
    ages = [now - time for time in times]
    counted = count.total(now)
    assert sum(age <= 10.0 - 1e-9 for age in ages) <= counted <= sum(age <= 11.0 + 1e-9 for age in ages)
