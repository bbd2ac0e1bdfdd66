"""When a second attempt beside the first is worth it, before the first byte.

A hedge buys a shorter tail with extra load, so it is made only when all of this holds:

- the first attempt is later than 95 of 100 were, as their own predictions go;
- another replica is predicted to answer sooner than the first, and before the deadline. A first attempt that is so
  late is given as much longer as those took (median) that had been as late; if none was, as long again as it has taken;
- the fleet is not loaded: beyond half a second of queue, the second attempt would be paid for by others;
- at most 2 in 100 requests are hedged.

After Dean and Barroso, "The Tail at Scale" (2013): hedge past the 95th percentile, which bounds the extra load, and
cancel the loser. Off by default: a prompt that is computed twice is dearer than a web page that is fetched twice.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from dataclasses import dataclass

from router.policy.retry_budget import RetryBudget, RetryBudgetSettings


@dataclass(frozen=True, slots=True)
class HedgeSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    enabled: bool = False  # whether there are any: a prompt that is computed twice is dear
    quantile: float = 0.95  # of actual to predicted time, past which an attempt is late; Dean and Barroso's
    ratio: float = 0.02  # hedges per request: the tail needs few
    max_wait_s: float = 0.5  # seconds of prompts queued per endpoint, beyond which nothing is hedged

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1:
            raise ValueError(f"quantile must be above 0 and below 1, got {self.quantile}")
        if not 0 <= self.ratio <= 1:
            raise ValueError(f"ratio must be from 0 to 1, got {self.ratio}")
        if not self.max_wait_s >= 0:
            raise ValueError(f"max_wait_s must not be negative, got {self.max_wait_s}")


_WINDOW = 500  # answers the quantile is taken of: 25 are beyond the 95th percentile
_FEWEST = 60  # before so many, their 95th percentile is anybody's guess (3 are beyond it)
_BUDGET_S = 60.0  # over which the share is kept: at one request a second it is one hedge


class Hedges:
    """One per pool. All times are seconds; `now` is monotonic."""

    def __init__(self, settings: HedgeSettings) -> None:
        self._settings = settings
        self._ratios: deque[float] = deque()  # actual / predicted, the oldest first
        self._sorted: list[float] = []  # the same
        self._budget = RetryBudget(RetryBudgetSettings(ratio=settings.ratio, floor_per_s=0.0, ttl_s=_BUDGET_S))

    def began(self, now: float) -> None:
        """A request came: it pays for a part of a hedge."""
        if self._settings.enabled:
            self._budget.deposit(now)

    def learn(self, predicted_s: float, actual_s: float) -> None:
        """A first byte came, `actual_s` after its attempt began.

        Of an attempt that was cancelled for its hedge the time until then is to be told, or the late ones go missing.
        """
        if not self._settings.enabled or predicted_s <= 0 or actual_s <= 0:
            return
        if len(self._ratios) == _WINDOW:
            del self._sorted[bisect_left(self._sorted, self._ratios.popleft())]
        ratio = actual_s / predicted_s
        self._ratios.append(ratio)
        insort(self._sorted, ratio)

    def delay_s(self, predicted_s: float) -> float:
        """When an attempt that was predicted to take `predicted_s` is late; infinity: never, or not yet known."""
        if not self._settings.enabled or len(self._sorted) < _FEWEST or predicted_s <= 0:
            return math.inf
        return self._sorted[math.ceil(self._settings.quantile * len(self._sorted)) - 1] * predicted_s

    def allows(
        self,
        *,
        predicted_s: float,
        elapsed_s: float,
        other_s: float,
        mean_wait_s: float,
        now: float,
        left_s: float = math.inf,
    ) -> bool:
        """May there be a second attempt? If so, it is spent.

        Args:
            predicted_s: of the first attempt, when it began.
            elapsed_s: since then.
            other_s: predicted of the best other endpoint, if it began now.
            mean_wait_s: seconds of prompts queued per endpoint of the pool.
            now: monotonic.
            left_s: until the request's deadline for its first token.
        """
        return (
            elapsed_s >= self.delay_s(predicted_s)
            and mean_wait_s <= self._settings.max_wait_s
            and other_s < min(left_s, self._remaining_s(predicted_s, elapsed_s))
            and self._budget.withdraw(now)
        )

    def _remaining_s(self, predicted_s: float, elapsed_s: float) -> float:
        """How much longer the first attempt is expected to take: the median of those that had been as late."""
        later = bisect_right(self._sorted, elapsed_s / predicted_s)
        count = len(self._sorted) - later
        if not count:
            return elapsed_s
        return self._sorted[later + (count - 1) // 2] * predicted_s - elapsed_s
