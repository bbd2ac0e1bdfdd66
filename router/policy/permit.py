"""What one request holds of its key's quotas: taken once, given back once.

    reserve (tokens, budgets) → settle, or release

It ends with the first of a denial, `settle` and `release`; whatever comes after does nothing. How each ends it:

- what is denied has taken nothing: no request of the minute, no place among those under way;
- `settle`: what was used takes the place of what was reserved;
- `release`: nothing was used. The request itself still counts, or else nonsense could be sent without end.

Where a request failed by our own fault, it is not counted: `is_ours`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.allowances import Allowances
from router.policy.denial import DenialReason, Denied, Standing
from router.policy.key import Key, Window
from router.policy.lending import Want
from router.policy.rate import Bucket


@dataclass(slots=True)
class Totals:
    """Of one router; all 0 at rest."""

    in_flight: int = 0  # requests
    reserved: int = 0  # nano-dollars


@dataclass(slots=True)
class Rating:
    """What one key has of its rates at this router."""

    used_at: float
    in_flight: int = 0
    requests: Bucket | None = None
    tokens: Bucket | None = None

    def is_at_rest(self, now: float) -> bool:
        """Would a new one be the same?"""
        buckets = (self.requests, self.tokens)
        return self.in_flight == 0 and all(bucket is None or bucket.reset_s(now) == 0 for bucket in buckets)


class Permit:
    """Of one request, which has been counted already. `now` is in monotonic seconds.

    Args:
        key: whose.
        rating: what the key has of its rates.
        routers: how many share them.
        allowances: what this router holds of budgets.
        totals: of this router.
        retry_s: to be told to whom a budget is denied that is reserved.
    """

    __slots__ = (
        "_allowances",
        "_bucket",
        "_cost",
        "_has_ended",
        "_key",
        "_limits",
        "_rating",
        "_requests",
        "_retry_s",
        "_routers",
        "_tokens",
        "_totals",
        "_windows",
    )

    def __init__(
        self, key: Key, rating: Rating, routers: int, allowances: Allowances, totals: Totals, retry_s: float
    ) -> None:
        self._key = key
        self._rating = rating
        self._requests, self._bucket = rating.requests, rating.tokens  # a key's rates may change meanwhile
        self._routers = routers
        self._allowances = allowances
        self._totals = totals
        self._retry_s = retry_s
        self._windows: tuple[Window, ...] = ()  # of each budget of the key
        self._limits: dict[Window, int] = {}  # the tightest over each
        self._tokens = 0  # taken
        self._cost: int | None = None  # reserved, nano-dollars
        self._has_ended = False
        rating.in_flight += 1
        totals.in_flight += 1

    def __repr__(self) -> str:
        state = "ended" if self._has_ended else "admitted" if self._cost is None else f"reserved {self._cost}"
        return f"Permit({self._key.name}, {state})"

    def standing(self, now: float) -> Standing | None:
        """None: the key may send as many requests as it likes."""
        limit = self._key.rates.requests_per_min
        if limit is None or self._requests is None:
            return None
        return Standing(limit, self._remaining(self._requests, limit, now), self._requests.reset_s(now))

    def reserve(self, tokens: int, cost: int, now: float, unix_s: float) -> Sequence[Want] | Denied | None:
        """Reserve the most that the request can come to.

        None: it is reserved. Wants: this router's leases are short; let them be borrowed, tell the allowances, and
        call again with the same figures. What has been reserved before is not reserved again.

        Args:
            tokens: prompt and completions together.
            cost: nano-dollars.
            now: monotonic seconds.
            unix_s: when the request arrived, which decides the windows that it counts in.

        Raises:
            ValueError: the permit has ended.
        """
        if self._has_ended:
            raise ValueError("this permit has ended")
        if self._cost is not None:
            return None
        if not self._tokens and (denied := self._take(tokens, now)) is not None:
            return self._deny(denied, now)
        if not self._limits:
            self._windows = tuple(budget.window(unix_s) for budget in self._key.budgets)
            for budget, window in zip(self._key.budgets, self._windows, strict=True):
                self._limits[window] = min(budget.limit, self._limits.get(window, budget.limit))
        wants = self._allowances.reserve(self._limits, cost, now)
        if not wants:
            self._cost = cost
            self._totals.reserved += cost
            return None
        refused = self._refusal({want.window for want in wants}, now, unix_s)
        return wants if refused is None else self._deny(refused, now)

    def settle(self, tokens: int, cost: int, now: float, *, is_ours: bool = False) -> None:
        """It has come to so many tokens and nano-dollars, which will be written. `is_ours`: it failed by our fault."""
        if not self._has_ended:
            self._end(tokens, cost, now, counts=not is_ours)

    def release(self, now: float, *, is_ours: bool = False) -> None:
        """It has come to nothing, and nothing will be written. `is_ours`: it failed by our fault."""
        if not self._has_ended:
            self._end(0, 0, now, counts=not is_ours)

    def _take(self, tokens: int, now: float) -> Denied | None:
        limit = self._key.rates.tokens_per_min
        if self._bucket is None or limit is None:
            return None
        if not self._bucket.take(tokens, now):
            remaining = self._remaining(self._bucket, limit, now)
            return Denied(DenialReason.TOKENS, limit, remaining, self._bucket.wait_s(tokens, now))
        self._tokens = tokens
        return None

    def _refusal(self, short: set[Window], now: float, unix_s: float) -> Denied | None:
        """By the first budget of the key that the database has just said to be used up."""
        for budget, window in zip(self._key.budgets, self._windows, strict=True):
            tightest = self._limits[window]
            spent = self._allowances.refusal(window, tightest, now) if window in short else None
            if spent is None:
                continue
            if spent >= budget.limit:
                end = budget.interval.end(unix_s)
                wait_s = math.inf if end is None else max(0.0, end - unix_s)
                return Denied(DenialReason.BUDGET_SPENT, budget.limit, 0, wait_s, budget)
            if budget.limit == tightest:
                return Denied(DenialReason.BUDGET_IN_FLIGHT, tightest, tightest - spent, self._retry_s, budget)
        return None

    def _deny(self, denied: Denied, now: float) -> Denied:
        self._end(0, 0, now, counts=False)
        return denied

    def _end(self, tokens: int, cost: int, now: float, *, counts: bool) -> None:
        self._has_ended = True
        reserved = self._cost or 0
        self._rating.in_flight -= 1
        self._totals.in_flight -= 1
        self._totals.reserved -= reserved
        self._allowances.settle(self._limits, reserved, cost, now)
        if self._bucket is not None:
            self._bucket.settle(self._tokens, tokens, now)
        if self._requests is not None and not counts:
            self._requests.give_back(1, now)

    def _remaining(self, bucket: Bucket, limit: int, now: float) -> int:
        return min(limit, max(0, bucket.remaining(now)) * self._routers)
