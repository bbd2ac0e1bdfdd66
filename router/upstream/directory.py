"""Which endpoints each pool has now, and what their engines last said of themselves.

Discovery writes the endpoints, the prober the engines' figures; the request path only reads. Nothing here waits, so a
reader never sees half a change. A figure that has grown old is None, not zero: unknown is not idle.
"""

from collections.abc import Callable, Iterable

from router.policy.catalog import Endpoint, EndpointId
from router.protocol.engine_metrics import EngineMetrics


class Directory:
    """One per router.

    `clock` gives monotonic seconds. A figure counts for `stale_after_s`: some probes may fail before an engine is
    called unknown.
    """

    def __init__(self, *, clock: Callable[[], float], stale_after_s: float = 5.0) -> None:
        self._clock = clock
        self._stale_after_s = stale_after_s
        self._pools: dict[str, tuple[Endpoint, ...]] = {}
        self._seen: dict[EndpointId, tuple[EngineMetrics, float]] = {}
        self._on_added: list[Callable[[EndpointId], None]] = []
        self._on_removed: list[Callable[[EndpointId], None]] = []
        self._on_seen: list[Callable[[Endpoint, EngineMetrics], None]] = []

    def __repr__(self) -> str:
        counts = {name: len(endpoints) for name, endpoints in self._pools.items()}
        return f"Directory({counts})"

    def endpoints(self, pool_name: str) -> tuple[Endpoint, ...]:
        """The pool's endpoints now; none for a pool of which nothing has been found yet."""
        return self._pools.get(pool_name, ())

    def all(self) -> tuple[Endpoint, ...]:
        """Every endpoint of any pool, each once."""
        return tuple(dict.fromkeys(each for endpoints in self._pools.values() for each in endpoints))

    def on_added(self, listener: Callable[[EndpointId], None]) -> None:
        """Call `listener` with the id of each endpoint that was in no pool before."""
        self._on_added.append(listener)

    def on_seen(self, listener: Callable[[Endpoint, EngineMetrics], None]) -> None:
        """Call `listener` with what an engine says of itself, each time it does."""
        self._on_seen.append(listener)

    def on_removed(self, listener: Callable[[EndpointId], None]) -> None:
        """Call `listener` with the id of each endpoint that has left the last pool it was in."""
        self._on_removed.append(listener)

    def replace(self, pool_name: str, endpoints: Iterable[Endpoint]) -> None:
        """Make these the pool's endpoints and tell the listeners who is gone.

        An id with another address is another endpoint: what was learnt of the old one is forgotten.
        """
        before = self.all()
        self._pools[pool_name] = tuple({each.id: each for each in endpoints}.values())
        now = frozenset(self.all())
        gone = [each for each in before if each not in now]
        for each in gone:
            self._seen.pop(each.id, None)
            for listener in self._on_removed:
                listener(each.id)
        # what listeners knew of an id is gone with its old address, also when another pool had its new one before
        renewed = {each.id for each in gone}
        for each in now:
            if each.id in renewed or each not in before:
                for listener in self._on_added:
                    listener(each.id)

    def drop(self, pool_name: str) -> None:
        """The pool is no more: its endpoints leave, and its name is free.

        Who has the same id in another pool stays, whatever its address: what was learnt goes on there.
        """
        gone = self._pools.pop(pool_name, ())
        known = {each.id for each in self.all()}
        for each in gone:
            if each.id not in known:
                self._seen.pop(each.id, None)
                for listener in self._on_removed:
                    listener(each.id)

    def saw(self, endpoint: Endpoint, figures: EngineMetrics) -> None:
        """Note what an engine just said. Ignored when the endpoint has left meanwhile."""
        if endpoint in self.all():
            self._seen[endpoint.id] = (figures, self._clock())
            for listener in self._on_seen:
                listener(endpoint, figures)

    def metrics(self, endpoint: Endpoint) -> EngineMetrics | None:
        """What the engine said last, or None if that is too long ago or never was."""
        seen = self._seen.get(endpoint.id)
        if seen is None or self._clock() - seen[1] > self._stale_after_s:
            return None
        return seen[0]
