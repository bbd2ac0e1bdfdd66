from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from router.front.wheel import NOWHERE, Wheel


@dataclass(eq=False)
class Guest:
    name: int
    deadline: float = 0.0
    slot: int = NOWHERE


def test_who_is_due_is_told_once_and_not_before() -> None:
    wheel: Wheel[Guest] = Wheel(0.25)
    guest = Guest(1)
    wheel.set(guest, 1.1)
    assert [] == wheel.due(1.0)
    assert [guest] == wheel.due(1.4)
    assert [] == wheel.due(9.0)
    assert 0 == len(wheel)


def test_a_deadline_moves_in_both_directions() -> None:
    wheel: Wheel[Guest] = Wheel(0.25)
    later, sooner = Guest(1), Guest(2)
    wheel.set(later, 1.0)
    wheel.set(later, 5.0)
    wheel.set(sooner, 5.0)
    wheel.set(sooner, 1.0)
    assert [sooner] == wheel.due(2.0)
    assert [later] == wheel.due(5.25)


def test_who_is_dropped_is_forgotten() -> None:
    wheel: Wheel[Guest] = Wheel(0.25)
    guest = Guest(1)
    wheel.set(guest, 1.0)
    wheel.drop(guest)
    wheel.drop(guest)
    assert [] == wheel.due(9.0)


@given(st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.floats(0.01, 20.0)), st.floats(0.0, 3.0))))
def test_nobody_is_early_nobody_is_late_by_more_than_a_tick_and_nobody_is_lost(
    steps: list[tuple[int, float | None, float]],
) -> None:
    """Each step sets (or drops) one guest's deadline, waits a while in ticks, and looks at every tick."""
    tick = 0.25
    wheel: Wheel[Guest] = Wheel(tick)
    guests = [Guest(i) for i in range(5)]
    expected: dict[int, float] = {}
    now = 0.0
    for which, after, wait in [*steps, (0, None, 30.0)]:
        if after is None:
            wheel.drop(guests[which])
            expected.pop(which, None)
        else:
            wheel.set(guests[which], now + after)
            expected[which] = now + after
        end = now + wait
        while now < end:
            now += tick
            for guest in wheel.due(now):
                deadline = expected.pop(guest.name)
                assert deadline <= now < deadline + 2 * tick
    assert {} == expected
    assert 0 == len(wheel)
