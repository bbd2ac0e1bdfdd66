"""What an attempt holds, given back exactly once.

An attempt ends twice: its head decides about the next attempt, its tail, maybe minutes later, frees the load and tells
the breaker and the listeners. The tail must happen on every path (success, error, client gone, never sent), so `end`
may be called by all of them and only the first call counts.
"""

from collections.abc import Callable
from dataclasses import dataclass

from router.policy.attempt import Attempt
from router.policy.outcome import Outcome, Usage

Settle = Callable[[Attempt, Outcome, Usage | None], None]
Release = Callable[[Outcome], None]


class Lease:
    """The resources of one attempt: its place in the load ledger and its breaker permit."""

    __slots__ = ("_attempt", "_on_first_token", "_releases", "_settle")

    def __init__(
        self, attempt: Attempt, on_first_token: Callable[[], None], releases: tuple[Release, ...], settle: Settle
    ) -> None:
        self._attempt = attempt
        self._on_first_token = on_first_token
        self._releases: tuple[Release, ...] | None = releases
        self._settle = settle

    def __repr__(self) -> str:
        return f"Lease({self._attempt.endpoint.id}, {'ended' if self.has_ended else 'held'})"

    @property
    def has_ended(self) -> bool:
        return self._releases is None

    def commit(self) -> None:
        """The first body byte is there: the prompt has been read."""
        self._on_first_token()

    def end(self, outcome: Outcome, usage: Usage | None = None) -> None:
        """Give everything back and tell the listeners. Further calls do nothing."""
        releases, self._releases = self._releases, None
        if releases is None:
            return
        for release in releases:
            release(outcome)
        self._settle(self._attempt, outcome, usage)


@dataclass(frozen=True, slots=True)
class Pick:
    """An attempt to make, and what it holds."""

    attempt: Attempt
    lease: Lease
