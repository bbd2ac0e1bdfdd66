"""Which endpoints of a fleet may be used, as seen by all their breakers.

The rules that large fleets live by fail with two to sixteen replicas: "at most 10 % ejected" would be nobody. Instead
- an endpoint whose breaker lets traffic through is usable;
- when less than `panic_ratio` of the fleet is healthy, the rest would only be crushed next, so endpoints that merely
  fail too often are used as well (Envoy's panic mode), but not those that are silent or refuse;
- when nobody is usable, all are but those where an attempt is sure to be in vain: refused, or asked for a pause. The
  last endpoint is never ejected on suspicion.
"""

from collections.abc import Sequence
from functools import partial

from router.policy.breaker import Breaker, BreakerSettings, Fault, State
from router.policy.catalog import Endpoint, EndpointId


class Breakers:
    """One breaker per endpoint, made when first asked for. All times are monotonic seconds."""

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._breakers: dict[EndpointId, Breaker] = {}
        self._troubled: set[EndpointId] = set()  # all that are not well, and maybe some that are again

    def of(self, endpoint_id: EndpointId) -> Breaker:
        """The breaker of an endpoint; whoever holds a permit keeps it, as the endpoint may be forgotten meanwhile."""
        breaker = self._breakers.get(endpoint_id)
        if breaker is None:
            breaker = Breaker(self._settings, partial(self._troubled.add, endpoint_id))
            self._breakers[endpoint_id] = breaker
        return breaker

    def available(self, endpoints: Sequence[Endpoint], now: float) -> Sequence[Endpoint]:
        """Those to choose from, in the same order; empty only if each one refuses or is backing off."""
        if self._troubled:
            self._troubled -= {each for each in self._troubled if self._is_well(each, now)}
        if not self._troubled:  # nearly always
            return endpoints
        breakers = [self.of(endpoint.id) for endpoint in endpoints]
        is_healthy = [breaker.fault is None for breaker in breakers]
        is_panic = sum(is_healthy) < self._settings.panic_ratio * len(endpoints)
        usable = [
            endpoint
            for endpoint, breaker in zip(endpoints, breakers, strict=True)
            if breaker.is_available(now)
            or (is_panic and breaker.fault is Fault.FAILING and not breaker.is_backing_off(now))
        ]
        if usable:
            return usable
        return [
            endpoint for endpoint, breaker in zip(endpoints, breakers, strict=True) if breaker.blocked_until(now) <= now
        ]

    def _is_well(self, endpoint_id: EndpointId, now: float) -> bool:
        breaker = self._breakers.get(endpoint_id)
        return breaker is None or breaker.well_from <= now  # None: it has left

    def retry_after(self, endpoints: Sequence[Endpoint], now: float) -> float | None:
        """Seconds until the first of them may be tried; None when one may be now, or there is none at all."""
        if not endpoints:
            return None
        until = min(self.of(endpoint.id).blocked_until(now) for endpoint in endpoints)
        return until - now if until > now else None

    def states(self, now: float) -> dict[EndpointId, State]:
        """The state of every endpoint that was ever asked for and not forgotten."""
        return {endpoint_id: breaker.state(now) for endpoint_id, breaker in self._breakers.items()}

    def forget(self, endpoint_id: EndpointId) -> None:
        """Drop an endpoint that has left; if it comes back, it starts afresh."""
        self._breakers.pop(endpoint_id, None)
        self._troubled.discard(endpoint_id)
