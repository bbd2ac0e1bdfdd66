"""How much of the traffic may be retries.

Without it a fleet that fails under load gets every request several times and cannot recover. Finagle's budget
(`RetryBudget`: a share of the requests of the last seconds, plus a floor so that quiet times can retry at all).
"""

from dataclasses import dataclass

from router.policy.rolling import RollingCount


@dataclass(frozen=True, slots=True)
class RetryBudgetSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # retries per request: an ailing fleet gets at most a fifth more, as in Finagle and Envoy
    ratio: float = 0.2
    # retries a second that are always free: one lost replica's requests fit in ten seconds
    floor_per_s: float = 10.0
    ttl_s: float = 10.0  # seconds a request counts: longer saves up a storm, shorter forgets a slow trickle

    def __post_init__(self) -> None:
        if not 0 <= self.ratio <= 1:
            raise ValueError(f"ratio must be from 0 to 1, got {self.ratio}")
        if not self.floor_per_s >= 0:
            raise ValueError(f"floor_per_s must be at least 0, got {self.floor_per_s}")
        if not self.ttl_s > 0:
            raise ValueError(f"ttl_s must be above 0, got {self.ttl_s}")


class RetryBudget:
    """Over any `ttl_s` there are at most `ratio` × requests + `floor_per_s` × `ttl_s` retries."""

    def __init__(self, settings: RetryBudgetSettings) -> None:
        self._ratio = settings.ratio
        self._reserve = settings.floor_per_s * settings.ttl_s
        self._requests = RollingCount(settings.ttl_s)
        self._retries = RollingCount(settings.ttl_s)

    def deposit(self, now: float) -> None:
        """A new request came at `now` (monotonic seconds)."""
        self._requests.add(now)

    def withdraw(self, now: float) -> bool:
        """May there be one more retry at `now` (monotonic seconds)? If so, it is spent."""
        allowed = self._ratio * self._requests.total(now) + self._reserve
        if self._retries.total(now) + 1 > allowed:
            return False
        self._retries.add(now)
        return True
