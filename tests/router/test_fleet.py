from router.fleet import Fleet
from router.policy.breaker import BreakerSettings
from router.policy.breakers import Breakers
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.load import TokenLoad
from router.policy.outcome import Outcome, Verdict
from router.protocol.engine_metrics import EngineMetrics

POOL = Pool("local", "m/eyes", "eyes")
SEEN = Endpoint(EndpointId("seen"), "http://seen")
UNSEEN = Endpoint(EndpointId("unseen"), "http://unseen")


class World:
    def __init__(self, *endpoints: Endpoint) -> None:
        self.breakers = Breakers(BreakerSettings())
        self.load = TokenLoad()
        self.fleet = Fleet(
            pools=[POOL],
            endpoints=lambda pool: endpoints,
            engine_metrics=lambda endpoint: EngineMetrics(running=2, waiting=1) if endpoint == SEEN else None,
            breakers=self.breakers,
            load=self.load,
            clock=lambda: 0.0,
        )


def test_status_shows_load_breaker_and_engine() -> None:
    world = World(SEEN, UNSEEN)
    world.load.take(SEEN.id, 100, 20)
    (pool,) = world.fleet.status()["pools"]
    assert pool["endpoints"][0] == {
        "id": "seen",
        "url": "http://seen",
        "state": "closed",
        "streams": 1,
        "outstanding_tokens": 120,
        "running": 2,
        "waiting": 1,
        "kv_cache_usage": None,
    }
    assert (pool["endpoints"][1]["state"], pool["endpoints"][1]["running"]) == ("unprobed", None)


def test_a_fleet_is_ready_when_one_engine_answers_its_probe() -> None:
    assert World(UNSEEN, SEEN).fleet.is_ready
    assert not World(UNSEEN).fleet.is_ready
    assert not World().fleet.is_ready


def test_gauges_are_read_when_prometheus_asks() -> None:
    world = World(SEEN, UNSEEN)
    for _ in range(2):
        breaker = world.breakers.of(UNSEEN.id)
        breaker.release(breaker.acquire(0.0), Outcome(Verdict.UNAVAILABLE), 0.0)
    values = {
        (family.name, sample.labels["endpoint"]): sample.value
        for family in world.fleet.gauges()
        for sample in family.samples
    }
    assert values[("tramontane_endpoint_up", "seen")] == 1
    assert values[("tramontane_endpoint_up", "unseen")] == 0
    assert values[("tramontane_endpoint_breaker_open", "unseen")] == 1
    assert values[("tramontane_endpoint_running", "seen")] == 2
    assert ("tramontane_endpoint_running", "unseen") not in values
