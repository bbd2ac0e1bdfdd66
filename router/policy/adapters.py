"""Which endpoint has which adapter (LoRA) loaded, as far as is known.

An engine holds few adapters at a time and loads another when it is asked for. Who has it loaded is cheaper by the time
that loading takes. Known are those an engine names in its metrics, and those that were lately asked for there.
"""

from collections.abc import Iterable

from router.policy.catalog import EndpointId

LOADING_S = 0.5  # reading a few hundred megabytes and moving them to the card
_REMEMBERED_S = 30.0  # for which an adapter that was asked for is believed to stay


class Adapters:
    """One per router. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._told: dict[EndpointId, frozenset[str]] = {}
        self._asked: dict[EndpointId, dict[str, float]] = {}

    def told(self, endpoint_id: EndpointId, adapters: Iterable[str]) -> None:
        """An engine has named the adapters it has loaded."""
        self._told[endpoint_id] = frozenset(adapters)

    def asked(self, endpoint_id: EndpointId, adapter: str, now: float) -> None:
        """A request for the adapter was sent there."""
        asked = self._asked.setdefault(endpoint_id, {})
        asked[adapter] = now
        if len(asked) > 64:  # far more than an engine holds
            del asked[min(asked, key=asked.__getitem__)]

    def delay_s(self, endpoint_id: EndpointId, adapter: str | None, now: float) -> float:
        """Seconds before the endpoint could begin with this adapter."""
        if adapter is None or adapter in self._told.get(endpoint_id, ()):
            return 0.0
        since = self._asked.get(endpoint_id, {}).get(adapter)
        return LOADING_S if since is None or now - since > _REMEMBERED_S else 0.0

    def forget(self, endpoint_id: EndpointId) -> None:
        """Drop an endpoint that has left."""
        self._told.pop(endpoint_id, None)
        self._asked.pop(endpoint_id, None)
