"""A new replica gets less than its share at first: its graphs are not captured, its caches cold.

Its weight grows over a window from a tenth to one (Envoy's slow start with aggression 1). A router that has just
started sees every replica as new, which changes nothing between them.
"""

from dataclasses import dataclass

from router.policy.catalog import EndpointId


@dataclass(frozen=True, slots=True)
class SlowStartSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    window_s: float = 30.0  # seconds until a new replica counts whole; 0: at once
    least: float = 0.1  # weight it begins with; Envoy's

    def __post_init__(self) -> None:
        if not self.window_s >= 0:
            raise ValueError(f"window_s must not be negative, got {self.window_s}")
        if not 0 < self.least <= 1:
            raise ValueError(f"least must be above 0 and at most 1, got {self.least}")


class SlowStart:
    """Who has started when. All times are monotonic seconds."""

    def __init__(self, settings: SlowStartSettings) -> None:
        self._settings = settings
        self._known: set[EndpointId] = set()
        self._since: dict[EndpointId, float] = {}  # of those that still warm up

    @property
    def is_over(self) -> bool:
        """Is nobody warming up?"""
        return not self._since

    def began(self, endpoint_id: EndpointId, now: float) -> None:
        """A replica is there; only the first time counts, until it is forgotten."""
        if endpoint_id not in self._known:
            self._known.add(endpoint_id)
            self._since[endpoint_id] = now

    def warmth(self, endpoint_id: EndpointId, now: float) -> float:
        """Its weight, up to 1."""
        since = self._since.get(endpoint_id)
        if since is None:
            return 1.0
        passed = now - since
        if passed >= self._settings.window_s:
            del self._since[endpoint_id]
            return 1.0
        return max(self._settings.least, passed / self._settings.window_s)

    def forget(self, endpoint_id: EndpointId) -> None:
        """Drop a replica that has left."""
        self._known.discard(endpoint_id)
        self._since.pop(endpoint_id, None)
