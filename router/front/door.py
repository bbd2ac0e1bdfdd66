"""What all connections of a router share: limits, deadlines, who is there, and how many were refused for what.

Ports differ in what they serve, not in this: a connection counts against the same limit whichever port it came in by.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from router.front.refusal import Refusal, answer
from router.front.settings import FrontSettings
from router.front.wheel import Wheel

logger = logging.getLogger(__name__)

LONGEST_TICK_S = 0.25  # deadlines are met late by up to this, or a tenth of the shortest
LINGER_S = 1.0  # that a refused client has to read its answer: closing on unread bytes would reset it away
LINGER_BYTES = 1_048_576  # that are read and dropped meanwhile
MOST_LINGERING = 256  # refused connections that may stay for this; further ones are cut off


class Guest(Protocol):
    """A connection as the door sees it."""

    deadline: float
    slot: int
    address: str | None  # the host it came from; None: unknown

    def on_deadline(self, now: float) -> None:
        """Its deadline is over; it sets another or ends."""

    def dismiss(self) -> None:
        """End an idle connection."""


class Door:
    """`open`, `idle` and `lingering` are gauges: connections in all, those between two requests, those being refused.

    `refused` counts refusals by reason.
    """

    def __init__(
        self,
        settings: FrontSettings,
        *,
        keep_alive_s: float,
        most_connections: int,
        clock: Callable[[], float],
    ) -> None:
        """`clock`: monotonic seconds. `most_connections`: in all, whatever the settings say of it."""
        self.settings = settings
        self.keep_alive_s = keep_alive_s
        self.clock = clock
        self.refused = dict.fromkeys(Refusal, 0)
        self.open = 0
        self.lingering = 0
        self.most_connections = most_connections
        shortest_s = min(
            settings.first_byte_s, settings.head_s, settings.body_gap_s, settings.write_gap_s, keep_alive_s
        )
        self.wheel: Wheel[Guest] = Wheel(min(LONGEST_TICK_S, shortest_s / 10))
        self._idle: dict[Guest, None] = {}  # the longest idle first
        self._of_address: dict[str, int] = {}
        self._answers = {refusal: answer(refusal, settings) for refusal in Refusal}

    @property
    def idle(self) -> int:
        return len(self._idle)

    def enter(self, guest: Guest) -> Refusal | None:
        """A connection has come. Counted in any case, until it leaves; refused where the limits say so.

        To make room, the one that has been idle for longest goes: its client can come back, and loses nothing.
        """
        self.open += 1
        most_of_address = self.settings.connections_per_address
        if most_of_address is not None and guest.address is not None:
            count = self._of_address[guest.address] = self._of_address.get(guest.address, 0) + 1
            if count > most_of_address:
                return Refusal.TOO_MANY_OF_ADDRESS
        if self.open - self.lingering > self.most_connections:
            if not self._idle:
                return Refusal.TOO_MANY_CONNECTIONS
            longest = next(iter(self._idle))
            del self._idle[longest]
            self.count(Refusal.IDLE_EVICTED)
            longest.dismiss()
        return None

    def leave(self, guest: Guest) -> None:
        """A connection is closed. Once for each that entered."""
        self.open -= 1
        self.wheel.drop(guest)
        self._idle.pop(guest, None)
        if self.settings.connections_per_address is not None and guest.address is not None:
            count = self._of_address.pop(guest.address) - 1
            if count:
                self._of_address[guest.address] = count

    def rest(self, guest: Guest) -> None:
        """It waits for its next request, or none."""
        self._idle[guest] = None

    def wake(self, guest: Guest) -> None:
        """It is idle no more."""
        self._idle.pop(guest, None)

    def count(self, refusal: Refusal) -> None:
        self.refused[refusal] += 1

    def answer(self, refusal: Refusal) -> bytes:
        """What a refused client is sent."""
        return self._answers[refusal]

    def sweep(self) -> None:
        """Call everyone whose deadline is over."""
        now = self.clock()
        for guest in self.wheel.due(now):
            try:
                guest.on_deadline(now)
            except Exception:  # one connection's trouble must not let all the others stay for ever
                logger.exception("a connection could not be ended")

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self.wheel.tick_s)
            self.sweep()
