"""Batches: which request goes next, and what becomes of one that failed.

turns   workspaces take turns, and within each its batches: a large batch holds up nobody's small one
fate    what waiting may cure is tried again, as often as `attempts` allows; for room in a quota or in the fleet
        (429, 503) it waits as long as its batch has time, because the next try costs nobody anything
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random


class Status(Enum):
    """Of a batch, in OpenAI's words and OpenRouter's."""

    VALIDATING = "validating"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.EXPIRED, Status.CANCELLED)


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    attempts: int = 5  # that may fail or be lost before the error is the result; each has the gateway's own attempts
    backoff_s: float = 2.0  # before the second attempt; doubled for each after it
    longest_backoff_s: float = 300.0  # a fleet that is down for an hour is asked every five minutes

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")
        if not 0 < self.backoff_s <= self.longest_backoff_s:
            raise ValueError(f"backoff_s must be above 0 and at most longest_backoff_s, got {self.backoff_s}")


@dataclass(frozen=True, slots=True)
class Again:
    """To be tried again after a while, with so many failures behind it."""

    delay_s: float
    failures: int


_PATIENT = frozenset({429, 503})
_CURABLE = frozenset({408, 500, 502, 504}) | _PATIENT
_DOUBLINGS = 32  # more are beyond every limit


def fate(status: int, failures: int, retry_after_s: float | None, settings: RetrySettings, rng: Random) -> Again | None:
    """None: that is the result.

    Args:
        status: HTTP status of the answer.
        failures: attempts before this one that counted.
        retry_after_s: what the answer says, in seconds.
        settings: how often, how long.
        rng: spreads those that failed together, over half of the delay.
    """
    if status not in _CURABLE:
        return None
    counted = failures + (status not in _PATIENT)
    if counted >= settings.attempts:
        return None
    delay_s = min(settings.longest_backoff_s, settings.backoff_s * 2.0 ** min(failures, _DOUBLINGS))
    delay_s *= rng.uniform(0.5, 1.0)
    return Again(max(delay_s, retry_after_s or 0.0), counted)


@dataclass(frozen=True, slots=True)
class Ready:
    """A batch that has requests which may be sent."""

    batch: str
    workspace: str


def turns(ready: Sequence[Ready], most: int, rng: Random) -> dict[str, int]:
    """How many requests each batch may send of the next `most`: at most so many, as some may have fewer.

    Who begins is drawn anew each time, so that nothing needs to be remembered for it to be fair.
    """
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for each in ready:
        lines[each.workspace].append(each.batch)
    order = list(lines.values())
    rng.shuffle(order)
    for line in order:
        rng.shuffle(line)
    shares: defaultdict[str, int] = defaultdict(int)
    for turn in range(most if order else 0):
        round_, place = divmod(turn, len(order))
        shares[order[place][round_ % len(order[place])]] += 1
    return dict(shares)
