"""How much of the router's traffic one provider gets: requests at once, and requests a minute.

A provider that is not ours has limits of its own, and costs money. What is beyond the allotment is not sent: it counts
as the back-pressure that the provider would have answered with, so another pool is tried, and this one left alone until
it may take a request again.
"""

from router.policy.outcome import Outcome, Verdict
from router.policy.rate import Bucket

FULL_RETRY_S = 0.25  # until a place may be free: answers end at any time


class Allotment:
    """One provider's. Times are monotonic seconds; None: without that limit."""

    def __init__(self, *, concurrent: int | None, per_min: int | None) -> None:
        self._concurrent = concurrent
        self._bucket = None if per_min is None else Bucket(per_min)
        self.under_way = 0  # requests now
        self.refused = 0  # requests ever that were beyond it

    def take(self, now: float) -> Outcome | None:
        """Take a place, to be given back by `give_back`. An outcome: there is none, and nothing was taken."""
        if self._concurrent is not None and self.under_way >= self._concurrent:
            self.refused += 1
            return Outcome(Verdict.OVERLOADED, None, "as many requests as it may have are under way", FULL_RETRY_S)
        if self._bucket is not None and not self._bucket.take(1, now):
            self.refused += 1
            detail = "as many requests as it may have were sent in the last minute"
            return Outcome(Verdict.RATE_LIMITED, None, detail, self._bucket.wait_s(1, now))
        self.under_way += 1
        return None

    def give_back(self) -> None:
        """A request is over."""
        self.under_way -= 1
