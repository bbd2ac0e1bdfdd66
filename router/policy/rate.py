"""How much may be asked for per minute: a token bucket.

It is full at first, so that a whole minute's worth may come at once, and fills continuously. All its state is one time:
when it will be full. So a bucket whose size changes keeps its share of filling, and nothing has to be counted down.
(The same as the generic cell rate algorithm, ITU-T I.371, with a burst of one minute.)

More than a whole bucket is not impossible: a full bucket gives it, and is in debt until it has been filled again.
"""

import math

_MINUTE_S = 60.0
_SLACK = 1e-9  # of the bucket: what the rounding of times may hide


class Bucket:
    """Amounts are whole numbers of whatever is counted; times are monotonic seconds.

    `size`: how much per minute, at least 1. May be changed at any time.
    """

    __slots__ = ("_full_at", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._full_at = -math.inf

    def __repr__(self) -> str:
        return f"Bucket({self.size} a minute, full at {self._full_at})"

    def take(self, amount: int, now: float) -> bool:
        """Take an amount if it is there; False: nothing was taken."""
        if self._level(now) < min(amount, self.size) - self.size * _SLACK:
            return False
        self.charge(amount, now)
        return True

    def charge(self, amount: int, now: float) -> None:
        """Take an amount, be it there or not."""
        self._full_at = max(self._full_at, now) + self._fills_s(amount)

    def give_back(self, amount: int, now: float) -> None:
        """Some of what was taken was not needed. What would overflow is lost."""
        self._full_at = max(self._full_at - self._fills_s(amount), now)

    def settle(self, taken: int, used: int, now: float) -> None:
        """What was used takes the place of what was taken."""
        if used > taken:
            self.charge(used - taken, now)
        elif used < taken:
            self.give_back(taken - used, now)

    def remaining(self, now: float) -> int:
        """What may be taken at once; below 0: the debt."""
        return math.floor(self._level(now) + self.size * _SLACK)

    def wait_s(self, amount: int, now: float) -> float:
        """Seconds until an amount may be taken, if nobody else takes any."""
        return max(0.0, self.reset_s(now) - self._fills_s(max(0, self.size - amount)))

    def reset_s(self, now: float) -> float:
        """Seconds until it is full."""
        return max(0.0, self._full_at - now)

    def _fills_s(self, amount: int) -> float:
        return amount * _MINUTE_S / self.size

    def _level(self, now: float) -> float:
        return self.size * (1.0 - self.reset_s(now) / _MINUTE_S)
