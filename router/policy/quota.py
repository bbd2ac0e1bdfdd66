"""How much each key may have: requests and tokens a minute, requests at a time, and money.

    admit (requests a minute, requests at a time) → Permit: reserve (tokens, budgets) → settle, or release

Rates are this router's part of the key's, by the number of routers that share them. Budgets are not divided: they are
leased (see allowances). How many requests this router can bear is not decided here.
"""

from dataclasses import dataclass, field
from itertools import islice

from router.policy.allowance import AllowanceSettings
from router.policy.allowances import Allowances
from router.policy.denial import DenialReason, Denied, Standing
from router.policy.key import Key
from router.policy.permit import Permit, Rating, Totals
from router.policy.rate import Bucket

__all__ = ["DenialReason", "Denied", "Permit", "QuotaSettings", "Quotas", "Standing"]


@dataclass(frozen=True, slots=True)
class QuotaSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # requests of one key at a time, where it has no bound of its own: one caller's mistake must not fill the router
    concurrent: int = 1_024
    lease: AllowanceSettings = field(default_factory=AllowanceSettings)
    # seconds until a caller should try again who has all its requests under way, or whose budget is all reserved: they
    # may end at any moment
    retry_s: float = 2.0
    forget_s: float = 3600.0  # seconds without a request, after which a key's rates are forgotten: by then all are full

    def __post_init__(self) -> None:
        if self.concurrent < 1:
            raise ValueError(f"concurrent must be at least 1 request, got {self.concurrent}")
        if not self.retry_s >= 0:
            raise ValueError(f"retry_s must be at least 0 seconds, got {self.retry_s}")
        if not self.forget_s > 0:
            raise ValueError(f"forget_s must be above 0 seconds, got {self.forget_s}")


class Quotas:
    """One per router. `now` is in monotonic seconds.

    Its `settings` may be replaced by others, which then count for whoever comes; only those of leases stay.
    """

    def __init__(self, settings: QuotaSettings) -> None:
        self.allowances = Allowances(settings.lease)
        self.settings = settings
        self._totals = Totals()
        self._ratings: dict[str, Rating] = {}  # by key id; the one that was used longest ago comes first

    @property
    def keys(self) -> int:
        """Keys of which something is known."""
        return len(self._ratings)

    @property
    def in_flight(self) -> int:
        """Requests under way, all keys together."""
        return self._totals.in_flight

    @property
    def reserved(self) -> int:
        """Nano-dollars, for all requests under way."""
        return self._totals.reserved

    def admit(self, key: Key, now: float, routers: int = 1) -> Permit | Denied:
        """Let one more request of a key begin. `routers`: how many share its rates, this one included."""
        rating, rates = self._rating(key.id, now), key.rates
        rating.requests = _sized(rating.requests, rates.requests_per_min, routers)
        rating.tokens = _sized(rating.tokens, rates.tokens_per_min, routers)
        concurrent = self.settings.concurrent if rates.concurrent is None else rates.concurrent
        if rating.in_flight >= _part(concurrent, routers):
            return Denied(DenialReason.CONCURRENT, concurrent, 0, self.settings.retry_s)
        if rates.requests_per_min is not None and rating.requests is not None and not rating.requests.take(1, now):
            return Denied(DenialReason.REQUESTS, rates.requests_per_min, 0, rating.requests.wait_s(1, now))
        return Permit(key, rating, routers, self.allowances, self._totals, self.settings.retry_s)

    def _rating(self, key_id: str, now: float) -> Rating:
        self._forget(now)
        rating = self._ratings.pop(key_id, None) or Rating(now)
        rating.used_at = now
        self._ratings[key_id] = rating
        return rating

    def _forget(self, now: float) -> None:
        """At most two at a time, which is more than come in at a time."""
        for key_id in tuple(islice(self._ratings, 2)):
            rating = self._ratings[key_id]
            if now < rating.used_at + self.settings.forget_s:
                return
            del self._ratings[key_id]
            if not rating.is_at_rest(now):
                rating.used_at = now
                self._ratings[key_id] = rating


def _part(limit: int, routers: int) -> int:
    """One router's, rounded up: together they may let a little too much through, and never nothing."""
    return max(1, -(-limit // max(1, routers)))


def _sized(bucket: Bucket | None, limit: int | None, routers: int) -> Bucket | None:
    if limit is None:
        return None
    size = _part(limit, routers)
    if bucket is None:
        return Bucket(size)
    bucket.size = size
    return bucket
