"""What this router holds of one budget window: its lease, and what it has taken from it.

    available = held - reserved - unwritten

`held` is the lease as the database knows it, `reserved` is for requests under way, and `unwritten` is settled but not
yet in the database. When it is written, the database takes it from the lease, so `held` and `unwritten` fall together.

Borrowing and writing go on side by side, so an answer of the database may have counted what was just written, or not.
The rule is to keep our own count, and to believe the database where it says less than that count allows:

    held = min(own count + granted, what the database says + unwritten)

What is not yet told to be written bounds what the database may have written already. So this is exact however the two
cross, and never too much when a lease was lost. It is too little where an answer was lost: a renewal makes that good in
a quiet moment, when nothing is being written and the database's word is exact.
"""

import math
from dataclasses import dataclass

from router.policy.key import Window
from router.policy.lending import Grant, Want


@dataclass(frozen=True, slots=True)
class AllowanceSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # share of what is left of a limit that a router likes to have ready: it shrinks as the limit comes nearer, so that
    # others find something too
    share_of_rest: float = 0.125
    # requests' estimates that it likes to have ready at most: a dead router's lease is out of reach until it expires
    ahead: int = 64
    refill_below: float = 0.5  # share of what it likes to have, below which it borrows before anybody has to wait
    idle_s: float = 30.0  # seconds without a request, after which what is not in use is given back
    # seconds that a refusal is remembered, so that a spent budget does not cost a transaction for every request;
    # shorter than a client's patience, because money may come back at any time
    refusal_s: float = 1.0

    def __post_init__(self) -> None:
        for name in ("share_of_rest", "refill_below"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
        if not self.ahead >= 0:
            raise ValueError(f"ahead must be at least 0 requests, got {self.ahead}")
        for name in ("idle_s", "refusal_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")


class Allowance:
    """Of one window, at one router. Amounts in nano-dollars, `now` in monotonic seconds."""

    __slots__ = (
        "_asked_at",
        "_is_awaited",
        "_is_quiet",
        "_limit",
        "_refused_at",
        "_refused_limit",
        "_settings",
        "_wish",
        "held",
        "is_refused",
        "reserved",
        "spent",
        "unwritten",
        "used_at",
    )

    def __init__(self, settings: AllowanceSettings, now: float) -> None:
        self._settings = settings
        self.held = 0
        self.reserved = 0
        self.unwritten = 0
        self.spent: int | None = None  # written by everybody, as last told; None: never told
        self.used_at = now  # when it was last asked for anything
        self.is_refused = False  # the last answer to a request was no
        self._limit = 0  # the tightest, as of the last request
        self._wish = 0  # what it likes to have available beside what requests reserve
        self._asked_at = -math.inf  # last time that it was asked for ahead of need
        self._is_awaited = False  # the next answer is to a request
        self._refused_at = -math.inf
        self._refused_limit = 0
        self._is_quiet = False  # nothing was written since the last renewal

    def __repr__(self) -> str:
        return f"Allowance(held={self.held}, reserved={self.reserved}, unwritten={self.unwritten})"

    @property
    def available(self) -> int:
        """Below 0 where requests came to more than their estimates."""
        return self.held - self.reserved - self.unwritten

    @property
    def is_empty(self) -> bool:
        return self.held == self.reserved == self.unwritten == 0

    def want(self, window: Window, limit: int, cost: int, now: float) -> Want | None:
        """What must be borrowed before `cost` can be reserved; None: nothing."""
        self.used_at = now
        self._limit = limit
        need = cost - self.available
        if need <= 0:
            return None
        self._is_awaited = True
        return Want(window, limit, need, need + self._wish_for(cost), max(0, self.available))

    def reserve(self, cost: int, now: float) -> bool:
        """Take what is available. True: it is time to borrow ahead (see `refill`)."""
        self.reserved += cost
        pause_s = self._settings.refusal_s
        self._wish = self._wish_for(cost)
        is_low = self.available < self._settings.refill_below * self._wish
        return is_low and now >= self._asked_at + pause_s and now >= self._refused_at + pause_s

    def refill(self, window: Window, now: float) -> Want | None:
        """What it would like to borrow ahead of need."""
        lacking = self._wish - self.available
        if lacking <= 0:
            return None
        self._asked_at = now
        return Want(window, self._limit, 0, lacking)

    def granted(self, grant: Grant, now: float) -> None:
        """The database has answered a want."""
        self.held = min(self.held + grant.granted, grant.held + self.unwritten)
        self.spent = grant.spent
        self.is_refused = grant.granted == 0 and self._is_awaited
        self._is_awaited = False
        if self.is_refused:
            self._refused_at, self._refused_limit = now, self._limit

    def was_refused(self, limit: int, now: float) -> bool:
        """Has the database just said that nothing is left of such a limit?"""
        return self.is_refused and now < self._refused_at + self._settings.refusal_s and limit <= self._refused_limit

    def renewed(self, held: int) -> None:
        """The database says how much the lease is. Told of every renewal, so that each knows of what came between."""
        is_exact = self._is_quiet and self.unwritten == 0
        self.held = held if is_exact else min(self.held, held + self.unwritten)
        self._is_quiet = True

    def written(self, cost: int) -> None:
        """A row of that cost is in the database, and taken from the lease."""
        self._is_quiet = False
        self.held = max(0, self.held - cost)
        self.unwritten = max(0, self.unwritten - cost)

    def surrender(self) -> int:
        """Part with what is available; how much that is."""
        surplus = max(0, self.available)
        self.held -= surplus
        self.is_refused = False
        return surplus

    def _wish_for(self, cost: int) -> int:
        """A share of what is left. Nothing while nobody has said how much that is."""
        if self.spent is None:
            return 0
        rest = self._limit - self.spent - self.unwritten - self.reserved
        return min(int(self._settings.share_of_rest * max(0, rest)), self._settings.ahead * cost)
