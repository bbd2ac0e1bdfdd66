"""Faults that an engine is told to have: which, how often, until when.

    {"fault": "reset", "share": 0.5, "count": 10, "for_s": 30}

Faults of a request strike one in `1/share` requests for completions, at most `count` of them, for `for_s` seconds.
Faults of the whole engine (`refuse`, `hang`, `die`) hold for `for_s` seconds, or until they are taken back.
"""

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class Kind(StrEnum):
    """What can be wrong."""

    REFUSE = "refuse"  # connections are refused; the open ones go on
    HANG = "hang"  # the process stands still, as after SIGSTOP: connections open, nothing is answered, nothing computed
    DIE = "die"  # connections are reset and refused; taken back, it is a new engine with an empty cache
    RESET = "reset"  # the connection is reset instead of an answer
    ERROR = "500"  # an internal error
    BUSY = "503"  # with Retry-After: `retry_after_s`
    SLOW = "slow-first-token"  # `delay_s` later than it would come
    STALL = "stall"  # silence after `after_tokens`, for `delay_s` or (null) for ever
    STALL_WITH_COMMENTS = "stall-with-comments"  # the same, with a comment every second
    TRUNCATE = "truncate"  # the connection ends after `after_tokens`, within the answer
    GARBAGE = "garbage"  # an event that is no JSON after `after_tokens`; 0: bytes that are no HTTP


WHOLE = frozenset({Kind.REFUSE, Kind.HANG, Kind.DIE})
Positive = Annotated[float, Meta(gt=0)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault as it is asked for."""

    kind: Kind = msgspec.field(name="fault")
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0  # of requests
    count: Annotated[int, Meta(ge=1)] | None = None  # requests at most
    for_s: Positive | None = None  # from now
    after_tokens: Annotated[int, Meta(ge=0)] = 3
    delay_s: Positive | None = None  # of SLOW (else 10 s) and of a stall (else without end)
    retry_after_s: Annotated[int, Meta(ge=0)] = 1

    @property
    def is_stall(self) -> bool:
        return self.kind in (Kind.SLOW, Kind.STALL, Kind.STALL_WITH_COMMENTS)

    @property
    def strikes_at(self) -> int:
        """Tokens before it shows."""
        return 0 if self.kind is Kind.SLOW else self.after_tokens

    @property
    def lasts_s(self) -> float | None:
        """Of a stall; None: without end."""
        return 10.0 if self.kind is Kind.SLOW and self.delay_s is None else self.delay_s


_one = msgspec.json.Decoder(Fault)
_several = msgspec.json.Decoder(list[Fault])


def read_faults(body: bytes) -> list[Fault]:
    """One fault, or an array of them. Raises ValueError with a sentence that is safe to show."""
    try:
        return _several.decode(body) if body.lstrip()[:1] == b"[" else [_one.decode(body)]
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


class Faults:
    """Those of one engine."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._active: list[tuple[Fault, float | None]] = []  # with the time it ends
        self._struck: list[int] = []

    def put(self, faults: Sequence[Fault], now: float) -> None:
        """These and no others. `now`: monotonic seconds."""
        self._active = [(each, None if each.for_s is None else now + each.for_s) for each in faults]
        self._struck = [0] * len(faults)

    def active(self, now: float) -> list[Fault]:
        """Those that are not over."""
        return [fault for (fault, until), struck in self._pairs() if self._holds(fault, until, struck, now)]

    def whole(self, now: float) -> frozenset[Kind]:
        """What is wrong with the whole engine."""
        return frozenset(fault.kind for fault in self.active(now)) & WHOLE

    def next_end(self, now: float) -> float | None:
        """When the next of them ends by itself; None: none does."""
        ends = [until for _, until in self._active if until is not None and until > now]
        return min(ends, default=None)

    def draw(self, now: float) -> Fault | None:
        """The fault that strikes the next request, if one does."""
        for index, ((fault, until), struck) in enumerate(self._pairs()):
            if fault.kind in WHOLE or not self._holds(fault, until, struck, now):
                continue
            if fault.share >= 1 or self._rng.random() < fault.share:
                self._struck[index] += 1
                return fault
        return None

    def _pairs(self) -> list[tuple[tuple[Fault, float | None], int]]:
        return list(zip(self._active, self._struck, strict=True))

    @staticmethod
    def _holds(fault: Fault, until: float | None, struck: int, now: float) -> bool:
        return (until is None or now < until) and (fault.count is None or struck < fault.count)
