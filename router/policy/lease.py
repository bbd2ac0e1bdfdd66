"""What an attempt holds, given back exactly once.

An attempt ends twice: its head decides about the next attempt, its tail, maybe minutes later, frees the load and tells
the breaker and the listeners. The tail must happen on every path (success, error, client gone, never sent), so `end`
may be called by all of them and only the first call counts.
"""

from collections.abc import Callable
from dataclasses import dataclass

from router.policy.attempt import Attempt
from router.policy.outcome import Outcome, Usage
from router.policy.picker import Decision

Settle = Callable[[Attempt, Outcome, Usage | None], None]
Release = Callable[[Outcome, Usage | None], None]


class Lease:
    """The resources of one attempt: its place in the load ledger and its breaker permit.

    Args:
        attempt: whose.
        on_prompt_read: the prompt is computed, seen or presumed; called once at most.
        on_first_token: the first body byte is there; called once at most.
        release: gives everything back.
        settle: tells the listeners.
    """

    __slots__ = ("_attempt", "_has_first_token", "_on_first_token", "_on_prompt_read", "_release", "_settle")

    def __init__(
        self,
        attempt: Attempt,
        *,
        on_prompt_read: Callable[[], None],
        on_first_token: Callable[[], None],
        release: Release,
        settle: Settle,
    ) -> None:
        self._attempt = attempt
        self._on_prompt_read = on_prompt_read
        self._on_first_token = on_first_token
        self._release: Release | None = release
        self._settle = settle
        self._has_first_token = False

    def __repr__(self) -> str:
        return f"Lease({self._attempt.endpoint.id}, {'ended' if self.has_ended else 'held'})"

    @property
    def has_ended(self) -> bool:
        return self._release is None

    def presume_read(self) -> None:
        """The prompt should be computed by now, of an answer that comes whole and shows no first token."""
        if self._release is not None:
            self._on_prompt_read()

    def commit(self) -> None:
        """The first body byte is there: the prompt has been read."""
        if self._release is not None and not self._has_first_token:
            self._has_first_token = True
            self._on_prompt_read()
            self._on_first_token()

    def end(self, outcome: Outcome, usage: Usage | None = None) -> None:
        """Give everything back and tell the listeners. Further calls do nothing."""
        release, self._release = self._release, None
        if release is None:
            return
        release(outcome, usage)
        self._settle(self._attempt, outcome, usage)


@dataclass(frozen=True, slots=True)
class Pick:
    """An attempt to make, what it holds, and why it is made there."""

    attempt: Attempt
    lease: Lease
    decision: Decision
    balancer: str  # the algorithm that decided
