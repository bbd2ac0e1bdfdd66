"""That a request may not be, and how much a key has left. Values only."""

from dataclasses import dataclass
from enum import Enum

from router.policy.key import Budget


class DenialReason(Enum):
    """Which limit was reached."""

    REQUESTS = "requests_per_minute"
    TOKENS = "tokens_per_minute"
    CONCURRENT = "concurrent_requests"
    BUDGET_SPENT = "budget_spent"
    BUDGET_IN_FLIGHT = "budget_in_flight"  # what is left of it is reserved, or held by other routers


@dataclass(frozen=True, slots=True)
class Denied:
    """Of the request nothing is kept."""

    reason: DenialReason
    limit: int  # the key's: requests, tokens or nano-dollars
    remaining: int  # of the limit; at least 0, and not enough
    retry_after_s: float  # until it may be allowed; infinite for a budget that is never reset
    budget: Budget | None = None  # which refused


@dataclass(frozen=True, slots=True)
class Standing:
    """How many requests a key may send this minute."""

    limit: int  # the key's
    remaining: int  # of all routers together, if they get equal parts
    reset_s: float  # until all may be sent again
