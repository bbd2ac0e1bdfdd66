"""The clocks of a stream, in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from router.policy.outcome import Phase
from router.upstream.idle_clock import IdleClock


@dataclass
class VirtualTimer:
    when: float
    callback: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class VirtualLoop:
    now: float = 100.0
    timers: list[VirtualTimer] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None], /) -> VirtualTimer:
        timer = VirtualTimer(when, callback)
        self.timers.append(timer)
        return timer

    def pending(self) -> list[VirtualTimer]:
        return [timer for timer in self.timers if not timer.is_cancelled]

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.pending() if timer.when <= end]:
            timer = min(due, key=lambda each: each.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when)
            timer.callback()
        self.now = end


@dataclass
class Stream:
    """A clock with 10 s of idling and 100 s in all, and what it said with the seconds when it did."""

    loop: VirtualLoop = field(default_factory=VirtualLoop)
    expired: list[tuple[Phase, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = IdleClock(self.loop, idle_s=10.0, total_at=self.loop.now + 100.0, on_expiry=self._expire)
        self.start = self.loop.now

    def _expire(self, phase: Phase) -> None:
        self.expired.append((phase, self.loop.now - self.start))

    def wait(self, seconds: float, *, then_heard: bool | None = None) -> None:
        """Wait for a piece; `then_heard`: whether the piece is progress, None: none comes."""
        self.clock.wait()
        self.loop.advance(seconds)
        if then_heard is not None:
            self.clock.heard(is_progress=then_heard)


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_silence_expires_after_the_idle_time(stream: Stream) -> None:
    stream.wait(50)
    assert [(Phase.IDLE, 10.0)] == stream.expired


def test_silence_counts_from_the_last_piece(stream: Stream) -> None:
    for _ in range(3):
        stream.wait(9, then_heard=True)
    stream.wait(50)
    assert [(Phase.IDLE, 37.0)] == stream.expired


def test_comments_do_not_interrupt_silence(stream: Stream) -> None:
    for _ in range(4):
        stream.wait(3, then_heard=False)
    assert [(Phase.IDLE, 10.0)] == stream.expired


def test_progress_after_comments_begins_a_new_silence(stream: Stream) -> None:
    for is_progress in (False, False, True):
        stream.wait(3, then_heard=is_progress)
    stream.wait(50)
    assert [(Phase.IDLE, 19.0)] == stream.expired


def test_while_nobody_waits_there_is_no_silence(stream: Stream) -> None:
    stream.wait(1, then_heard=True)
    stream.loop.advance(60)
    stream.wait(9, then_heard=True)
    assert [] == stream.expired


def test_time_of_a_slow_reader_is_not_added_to_silence_over_comments(stream: Stream) -> None:
    stream.wait(6, then_heard=False)
    stream.loop.advance(30)
    stream.wait(50)
    assert [(Phase.IDLE, 40.0)] == stream.expired


def test_the_total_time_expires_although_pieces_come(stream: Stream) -> None:
    for _ in range(30):
        stream.wait(5, then_heard=True)
    assert [(Phase.TOTAL, 100.0)] == stream.expired


def test_the_total_time_expires_although_nobody_waits(stream: Stream) -> None:
    stream.loop.advance(500)
    assert [(Phase.TOTAL, 100.0)] == stream.expired


def test_a_stopped_clock_has_no_timer_and_says_nothing(stream: Stream) -> None:
    stream.wait(1)
    for _ in range(2):
        stream.clock.stop()
    assert [] == stream.loop.pending()
    stream.loop.advance(500)
    assert [] == stream.expired


def test_an_expired_clock_has_no_timer(stream: Stream) -> None:
    stream.wait(50)
    assert [] == stream.loop.pending()


def test_a_busy_stream_costs_one_timer_per_idle_time_and_not_one_per_piece(stream: Stream) -> None:
    for _ in range(900):
        stream.wait(0.1, then_heard=True)
    assert len(stream.loop.timers) == 1
    assert [] == stream.expired
