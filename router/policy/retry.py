"""Whether a failed request may be sent once more. Where to, and whether the fleet can bear it, is decided elsewhere."""

from dataclasses import dataclass

from router.policy.outcome import Verdict


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # sends per pool, the first included: a rollout can meet two dead endpoints, rarely three
    max_attempts: int = 3

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts must be at least 1, got {self.max_attempts}")


class RetryPolicy:
    """A retry needs a verdict that another endpoint may better, and attempts left."""

    def __init__(self, settings: RetrySettings) -> None:
        self._max_attempts = settings.max_attempts

    def allows(self, verdict: Verdict, attempts_made: int) -> bool:
        """May the request be sent again after `attempts_made` attempts, the last of which ended so?"""
        return verdict.is_retryable and attempts_made < self._max_attempts
