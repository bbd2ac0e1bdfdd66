"""What engines say reaches those who decide."""

from router.policy.adapters import LOADING_S, Adapters
from router.policy.catalog import Endpoint, EndpointId
from router.policy.load import TokenLoad
from router.policy.mesh import Mesh
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.protocol.engine_metrics import EngineMetrics
from router.sightings import Sightings

ENGINE = Endpoint(EndpointId("e"), "http://e")


class World:
    def __init__(self) -> None:
        self.load, self.index, self.adapters = TokenLoad(), PrefixIndex(PrefixSettings()), Adapters()
        self.mesh = Mesh(boot_id=1, set_peers=self.load.set_peers, insert=self.index.add)
        self.sightings = Sightings(self.load, self.index, self.adapters, self.mesh, lambda: 0.0)

    def saw(self, **figures: object) -> None:
        self.sightings.saw(ENGINE, EngineMetrics(**figures))  # type: ignore[arg-type]


def test_requests_that_nobody_sent_count_once_two_readings_agree() -> None:
    world = World()
    world.saw(running=3, waiting=1)
    assert 0 == world.load.of(ENGINE.id).all_streams
    world.saw(running=3, waiting=1)
    assert 4 == world.load.of(ENGINE.id).all_streams


def test_the_index_believes_no_more_than_fits_into_the_cache() -> None:
    world = World()
    world.saw(cache_tokens=640)
    world.index.add(ENGINE.id, range(100))
    assert 10 == world.index.blocks(ENGINE.id)


def test_adapters_that_are_loaded_cost_nothing() -> None:
    world = World()
    world.saw(adapters=frozenset({"tuned"}))
    assert [0.0, LOADING_S] == [world.adapters.delay_s(ENGINE.id, name, 0.0) for name in ("tuned", "other")]


def test_an_engine_that_says_nothing_changes_nothing() -> None:
    world = World()
    world.saw()
    assert (0, 0) == (world.load.of(ENGINE.id).all_streams, len(world.index))
