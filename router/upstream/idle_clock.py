"""The two clocks of an answer that has begun: silence between two pieces, and its whole time.

One timer per answer. It is not set anew for each piece (that would cost more than relaying it): when it fires it looks
at what has happened since and sleeps on. Silence counts only while somebody waits for the next piece, because a client
that reads slowly is not the engine's fault, and it goes on counting over comments, which are no progress.
"""

from collections.abc import Callable
from typing import Protocol

from router.policy.outcome import Phase


class Timer(Protocol):
    def cancel(self) -> None: ...


class Loop(Protocol):
    """What is used of an event loop."""

    def time(self) -> float: ...
    def call_at(self, when: float, callback: Callable[[], None], /) -> Timer: ...


class IdleClock:
    """Calls `on_expiry` once, with the clock that ran out, unless stopped before. Times are the loop's seconds."""

    __slots__ = ("_deadline", "_idle_s", "_loop", "_on_expiry", "_quiet_s", "_timer", "_total_at", "_waits_since")

    def __init__(self, loop: Loop, *, idle_s: float, total_at: float, on_expiry: Callable[[Phase], None]) -> None:
        self._loop = loop
        self._idle_s = idle_s
        self._total_at = total_at
        self._on_expiry = on_expiry
        self._quiet_s = 0.0  # silence already endured when the present wait began
        self._waits_since: float | None = None
        self._deadline = total_at
        self._timer: Timer | None = loop.call_at(min(total_at, loop.time() + idle_s), self._look)

    def wait(self) -> None:
        """Somebody begins to wait for the next piece."""
        now = self._loop.time()
        self._waits_since = now
        self._deadline = now + self._idle_s - self._quiet_s

    def heard(self, *, is_progress: bool) -> None:
        """A piece has come."""
        since, self._waits_since = self._waits_since, None
        if is_progress or since is None:
            self._quiet_s = 0.0
        else:
            self._quiet_s += self._loop.time() - since

    def stop(self) -> None:
        """Further calls do nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._loop.time()
        waiting = self._waits_since is not None
        if now >= self._total_at:
            self._expire(Phase.TOTAL)
        elif waiting and now >= self._deadline:
            self._expire(Phase.IDLE)
        else:
            next_look = self._deadline if waiting else now + self._idle_s
            self._timer = self._loop.call_at(min(self._total_at, next_look), self._look)

    def _expire(self, phase: Phase) -> None:
        self._timer = None
        self._on_expiry(phase)
