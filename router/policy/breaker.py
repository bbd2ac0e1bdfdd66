"""When to stop sending to one endpoint, and when to try it again.

closed     traffic flows; faults are judged by their share in a rolling window, and unanswered attempts by their row
open       stopped until a time that doubles with each failed probe
half-open  the time is over: one request at a time is let through as the probe (see upstream/reviver)

Back-pressure (429, 503) is no fault: the endpoint is healthy and asks for a pause, so it only backs off. What the
client did (4xx, cancelled, total deadline) judges nobody. A permit carries the generation of the breaker's state, so
an answer that comes after the state has changed says nothing about the present one (sony/gobreaker).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from router.policy.outcome import Outcome, Phase, Verdict
from router.policy.rolling import RollingCount


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    window_s: float = 30.0  # seconds over which faults are counted; Finagle's: long enough for rare traffic
    minimum_volume: int = 5  # attempts in the window before their share means anything; Finagle's
    # share of faults that opens: below it an endpoint still does more good than harm
    failure_ratio: float = 0.5
    consecutive_unanswered: int = 2  # refused or timed out in a row: one may be chance, two never are
    # seconds until the first probe: a hung engine needs tens of seconds, a hiccup one or two
    open_s: float = 5.0
    # longest wait between probes, in seconds: a repaired engine works again within a minute
    open_max_s: float = 60.0
    # first wait after refusals, in seconds (doubles up to open_s): asking again is cheap
    refused_open_s: float = 1.0
    hold_off_s: float = 1.0  # pause after a 429 or 503 that names none, in seconds: about one long prefill
    # longest Retry-After that is obeyed, in seconds: a wrong one must not lose a replica
    hold_off_max_s: float = 60.0
    panic_ratio: float = 0.5  # below this healthy share, faults are spread over all: Envoy's panic threshold

    def __post_init__(self) -> None:
        for name in ("window_s", "open_s", "open_max_s", "refused_open_s", "hold_off_s", "hold_off_max_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        for name in ("minimum_volume", "consecutive_unanswered"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.failure_ratio <= 1:
            raise ValueError(f"failure_ratio must be above 0 and at most 1, got {self.failure_ratio}")
        if not 0 <= self.panic_ratio <= 1:
            raise ValueError(f"panic_ratio must be from 0 to 1, got {self.panic_ratio}")
        for longer, shorter in (("open_max_s", "open_s"), ("open_s", "refused_open_s")):
            if getattr(self, longer) < getattr(self, shorter):
                raise ValueError(f"{longer} must be at least {shorter}, got {getattr(self, longer)}")


class State(Enum):
    """Of a breaker, in the words of the glossary."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Fault(Enum):
    """What kind of fault; they differ in how surely the next attempt fails too."""

    FAILING = "failing"  # answers, but wrongly
    SILENT = "silent"  # accepts, but does not answer in time
    REFUSED = "refused"  # nobody is there


def fault_of(outcome: Outcome) -> Fault | None:
    """The fault that an outcome proves; None when it speaks of no fault of the endpoint."""
    if not outcome.verdict.is_fault or outcome.phase is Phase.TOTAL:
        return None
    if outcome.phase is Phase.CONNECT or (outcome.verdict is Verdict.UNAVAILABLE and outcome.status is None):
        return Fault.REFUSED
    return Fault.SILENT if outcome.verdict is Verdict.TIMEOUT else Fault.FAILING


class Permit:
    """The right to one attempt; to be released once (again is allowed and does nothing)."""

    __slots__ = ("generation", "is_released")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.is_released = False


class Breaker:
    """Health of one endpoint. All times are monotonic seconds.

    `on_trouble` is called whenever it ceases to be well.
    """

    def __init__(self, settings: BreakerSettings, on_trouble: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._on_trouble = on_trouble
        self.generation = 0  # grows with every opening and closing
        self.well_from = 0.0  # closed, and no pause asked for, from then on
        self._attempts = RollingCount(settings.window_s)
        self._faults = RollingCount(settings.window_s)
        self._unanswered = 0  # in a row
        self._fault: Fault | None = None  # why it is not closed
        self._open_until = 0.0
        self._openings = 0  # in a row
        self._probe: Permit | None = None
        self._probe_since = 0.0
        self._hold_off_until = 0.0

    @property
    def fault(self) -> Fault | None:
        """Why it is open or half-open; None when closed."""
        return self._fault

    def state(self, now: float) -> State:
        """Closed, open or half-open at `now`; backing off is none of these."""
        if self._fault is None:
            return State.CLOSED
        return State.OPEN if now < self._open_until else State.HALF_OPEN

    def is_backing_off(self, now: float) -> bool:
        """Has the endpoint asked for a pause that is not over?"""
        return now < self._hold_off_until

    def is_available(self, now: float) -> bool:
        """Should traffic go there? When half-open: only if no probe is out."""
        if now < self._hold_off_until:
            return False
        return self._fault is None or (now >= self._open_until and self._probe is None)

    def wants_probe(self, now: float) -> bool:
        """Half-open, with no probe out and no pause asked for?"""
        return self._fault is not None and self.is_available(now)

    def blocked_until(self, now: float) -> float:
        """Until when an attempt is sure to be in vain: a pause was asked for, or nobody is there. May be past."""
        until = self._hold_off_until
        if self._fault is Fault.REFUSED:
            until = max(until, self._open_until)
            if self._probe is not None:
                # A refusal comes back at once: a probe that stays out has at least been accepted.
                until = max(until, self._probe_since + self._settings.refused_open_s)
        return until

    def acquire(self, now: float) -> Permit:
        """Begin an attempt. The first when half-open is the probe.

        Never refuses: whether the last endpoint of a fleet is used although it is not available is not for its breaker
        to say (see breakers).
        """
        permit = Permit(self.generation)
        if self.state(now) is State.HALF_OPEN and self._probe is None:
            self._probe = permit
            self._probe_since = now
        return permit

    def first_byte(self, permit: Permit, now: float) -> None:
        """The attempt got a body byte: the endpoint lives, and a probe need not wait for the end of its stream."""
        if permit.generation == self.generation and not permit.is_released:
            self._unanswered = 0
            if self._fault is not None:
                self._close()
                permit.generation = self.generation  # how this stream ends still counts

    def release(self, permit: Permit, outcome: Outcome, now: float) -> None:
        """End an attempt and judge the endpoint by its outcome."""
        if permit.is_released:
            return
        permit.is_released = True
        if permit.generation != self.generation:
            return
        is_probe = permit is self._probe
        if is_probe:
            self._probe = None
        if outcome.verdict in (Verdict.OVERLOADED, Verdict.RATE_LIMITED):
            self._back_off(outcome.retry_after_s, now)
        fault = fault_of(outcome)
        if self._fault is None:
            self._judge(outcome.verdict, fault, now)
        elif fault is not None and is_probe:
            self._open(fault, now)
        elif outcome.verdict is Verdict.OK:
            self._close()

    def hold_off(self, until: float) -> None:
        """Send nothing before `until`; of several such times the latest holds."""
        self._hold_off_until = max(self._hold_off_until, until)
        if self._fault is None:
            self.well_from = self._hold_off_until
            self._on_trouble()

    def _back_off(self, retry_after_s: float | None, now: float) -> None:
        pause_s = self._settings.hold_off_s if retry_after_s is None else retry_after_s
        self.hold_off(now + min(pause_s, self._settings.hold_off_max_s))

    def _judge(self, verdict: Verdict, fault: Fault | None, now: float) -> None:
        if fault is None:
            if verdict is Verdict.OK:
                self._attempts.add(now)
            if verdict not in (Verdict.CANCELLED, Verdict.TIMEOUT):
                self._unanswered = 0
            return
        self._attempts.add(now)
        self._faults.add(now)
        self._unanswered = 0 if fault is Fault.FAILING else self._unanswered + 1
        volume = self._attempts.total(now)
        is_failing = volume >= self._settings.minimum_volume and (
            self._faults.total(now) >= self._settings.failure_ratio * volume
        )
        if is_failing or self._unanswered >= self._settings.consecutive_unanswered:
            self._open(fault, now)

    def _open(self, fault: Fault, now: float) -> None:
        settings = self._settings
        first_s, longest_s = settings.open_s, settings.open_max_s
        if fault is Fault.REFUSED:
            first_s, longest_s = settings.refused_open_s, settings.open_s
        self._open_until = now + min(first_s * 2.0 ** min(self._openings, 30), longest_s)
        self._openings += 1
        self._fault = fault
        self.well_from = math.inf
        self.generation += 1
        self._on_trouble()

    def _close(self) -> None:
        self._fault = None
        self.well_from = self._hold_off_until
        self._openings = 0
        self._unanswered = 0
        self._attempts.clear()
        self._faults.clear()
        self._probe = None
        self.generation += 1
