"""Deadlines of ten thousand connections for the price of one timer.

A hashed timing wheel (Varghese and Lauck 1987, scheme 6) that is lazy about later deadlines. A connection stands in one
slot. A deadline that moves back only changes a number, and the entry moves on when its slot comes up; one that moves
forward moves the entry at once. So a request on a connection that lives costs two dictionary operations or none.
"""

import math
from typing import Generic, Protocol, TypeVar

NOWHERE = -1


class Timed(Protocol):
    """Whatever has a deadline."""

    deadline: float  # clock seconds
    slot: int  # where the wheel keeps it; NOWHERE: it does not


T = TypeVar("T", bound=Timed)


class Wheel(Generic[T]):
    """Deadlines are met late by up to `tick_s` seconds, never early."""

    def __init__(self, tick_s: float) -> None:
        self.tick_s = tick_s
        self._slots: dict[int, dict[T, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def set(self, timed: T, deadline: float) -> None:
        """Call it at `deadline` and not before."""
        timed.deadline = deadline
        slot = math.ceil(deadline / self.tick_s)
        if timed.slot == NOWHERE or slot < timed.slot:
            self.drop(timed)
            self._put(timed, slot)

    def drop(self, timed: T) -> None:
        """Forget it. Again is allowed and does nothing."""
        if timed.slot != NOWHERE:
            entries = self._slots[timed.slot]
            del entries[timed]
            if not entries:
                del self._slots[timed.slot]
            timed.slot = NOWHERE

    def due(self, now: float) -> list[T]:
        """Those whose deadline is over; they are in the wheel no more."""
        current = math.floor(now / self.tick_s)
        over: list[T] = []
        for slot in [slot for slot in self._slots if slot <= current]:
            for timed in self._slots.pop(slot):
                timed.slot = NOWHERE
                if timed.deadline <= now:
                    over.append(timed)
                else:
                    self._put(timed, max(math.ceil(timed.deadline / self.tick_s), current + 1))
        return over

    def _put(self, timed: T, slot: int) -> None:
        timed.slot = slot
        self._slots.setdefault(slot, {})[timed] = None
