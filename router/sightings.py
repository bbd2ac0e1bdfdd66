"""What engines say of themselves, brought to those who decide: the load, the size of their caches, their adapters."""

from collections.abc import Callable

from router.policy.adapters import Adapters
from router.policy.catalog import Endpoint
from router.policy.load import TokenLoad
from router.policy.mesh import Mesh
from router.policy.prefix import PrefixIndex
from router.protocol.chain import BLOCK_BYTES
from router.protocol.engine_metrics import EngineMetrics

BYTES_PER_TOKEN = 4.0  # about; it only decides how many of the router's blocks an engine's cache is thought to hold


class Sightings:
    """Listens to the directory."""

    def __init__(
        self, load: TokenLoad, index: PrefixIndex, adapters: Adapters, mesh: Mesh, clock: Callable[[], float]
    ) -> None:
        self._load = load
        self._index = index
        self._adapters = adapters
        self._mesh = mesh
        self._clock = clock

    def saw(self, endpoint: Endpoint, figures: EngineMetrics) -> None:
        """An engine's metrics were read."""
        if figures.running is not None and figures.waiting is not None:
            is_alone = self._mesh.is_alone(self._clock())
            self._load.correct(endpoint.id, running=figures.running, waiting=figures.waiting, is_alone=is_alone)
        if figures.cache_tokens is not None:
            self._index.resize(endpoint.id, int(figures.cache_tokens * BYTES_PER_TOKEN / BLOCK_BYTES))
        if figures.adapters is not None:
            self._adapters.told(endpoint.id, figures.adapters)
