"""How long each phase of an attempt may take.

Four separate clocks, because they mean different things: a connect that takes a second is a dead host, a first token
that takes a minute can be a long prompt, and a stream that has been silent for half a minute has hung.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Limits of one attempt, in seconds; `total_s` counts over all attempts of a request."""

    connect_s: float = 1.0  # a SYN that is not answered in a second inside a cluster never will be
    first_token_s: float = 60.0  # a 128k-token prompt takes about 10 s of prefill on one H100; the rest is queueing
    idle_s: float = 30.0  # between two tokens; the slowest healthy engine step is under a second
    total_s: float = 600.0  # 10 minutes: an answer that takes longer is more often a leak than an answer

    def within(self, remaining_s: float) -> "Deadlines":
        """The same limits, none longer than what is left of the request's time."""
        if remaining_s >= self.total_s:
            return self
        left = max(0.0, remaining_s)
        return Deadlines(
            connect_s=min(self.connect_s, left),
            first_token_s=min(self.first_token_s, left),
            idle_s=min(self.idle_s, left),
            total_s=min(self.total_s, left),
        )

    def beginning_within(self, remaining_s: float) -> "Deadlines":
        """The same limits, with no longer wait for the first token than what is left of the caller's patience."""
        left = max(0.0, remaining_s)
        return Deadlines(
            connect_s=min(self.connect_s, left),
            first_token_s=min(self.first_token_s, left),
            idle_s=self.idle_s,
            total_s=self.total_s if left else 0.0,
        )
