import pytest

from router.front.door import Door
from router.front.refusal import Refusal
from router.front.settings import FrontSettings
from router.front.wheel import NOWHERE


class Guest:
    def __init__(self, door: Door, address: str | None = None) -> None:
        self.deadline = 0.0
        self.slot = NOWHERE
        self.address = address
        self.is_dismissed = False
        self.times: list[float] = []
        self._door = door

    def on_deadline(self, now: float) -> None:
        self.times.append(now)

    def dismiss(self) -> None:
        self.is_dismissed = True
        self._door.leave(self)


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def door(time: Time, most: int = 2, per_address: int | None = None) -> Door:
    settings = FrontSettings(connections_per_address=per_address)
    return Door(settings, keep_alive_s=75.0, most_connections=most, clock=time)


def test_the_longest_idle_makes_room() -> None:
    it = door(Time())
    first, second, third = Guest(it), Guest(it), Guest(it)
    assert [None, None] == [it.enter(first), it.enter(second)]
    it.rest(second)
    it.rest(first)
    assert it.enter(third) is None
    assert (second.is_dismissed, first.is_dismissed) == (True, False)
    assert (2, 1, 1) == (it.open, it.idle, it.refused[Refusal.IDLE_EVICTED])


def test_where_nobody_is_idle_a_new_one_is_refused() -> None:
    it = door(Time())
    busy = Guest(it)
    it.enter(busy)
    it.rest(busy)
    it.wake(busy)
    it.enter(Guest(it))
    late = Guest(it)
    assert Refusal.TOO_MANY_CONNECTIONS is it.enter(late)
    it.leave(late)
    it.leave(busy)
    assert it.enter(Guest(it)) is None


def test_who_is_being_refused_takes_no_place() -> None:
    it = door(Time(), most=1)
    it.enter(Guest(it))
    it.lingering = 1
    assert it.enter(Guest(it)) is None


def test_an_address_has_its_share_and_gets_it_back() -> None:
    it = door(Time(), most=100, per_address=2)
    mine = [Guest(it, "10.0.0.1") for _ in range(3)]
    assert [None, None, Refusal.TOO_MANY_OF_ADDRESS] == [it.enter(guest) for guest in mine]
    assert it.enter(Guest(it, "10.0.0.2")) is None
    assert it.enter(Guest(it, None)) is None
    for guest in mine:
        it.leave(guest)
    assert it.enter(Guest(it, "10.0.0.1")) is None


def test_one_whose_end_fails_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Guest):
        def on_deadline(self, now: float) -> None:
            raise RuntimeError("broken")

    time = Time()
    it = door(time)
    broken, fine = Broken(it), Guest(it)
    for guest in (broken, fine):
        it.enter(guest)
        it.wheel.set(guest, 1.0)
    time.now = 2.0
    it.sweep()
    assert [2.0] == fine.times
    assert "broken" in caplog.text
