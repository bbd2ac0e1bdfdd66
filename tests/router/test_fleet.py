from router.fleet import Fleet
from router.policy.call import Call, Priority
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.load import Load
from router.policy.outcome import Outcome, Verdict
from router.protocol.engine_metrics import EngineMetrics
from router.protocol.explain import name_of
from tests.router.rules import policies

POOL = Pool("local", "m/eyes", "eyes")
SEEN = Endpoint(EndpointId("seen"), "http://seen")
UNSEEN = Endpoint(EndpointId("unseen"), "http://unseen")


class World:
    def __init__(self, *endpoints: Endpoint, may_be_empty: frozenset[str] = frozenset()) -> None:
        self.policies = policies()
        self.breakers = self.policies.rules.breakers
        self.load = self.policies.rules.load
        self.fleet = Fleet(
            pools=[POOL],
            endpoints=lambda pool: endpoints,
            engine_metrics=lambda endpoint: EngineMetrics(running=2, waiting=1) if endpoint == SEEN else None,
            rules=self.policies.rules,
            clock=lambda: 0.0,
            may_be_empty=may_be_empty,
        )


def test_status_shows_load_breaker_and_engine() -> None:
    world = World(SEEN, UNSEEN)
    world.load.take(SEEN.id, 100, 20, cached_tokens=40)
    world.load.set_peers(SEEN.id, Load(queued=30, streams=2, context=500))
    (pool,) = world.fleet.status()["pools"]
    assert pool["endpoints"][0] == {
        "id": "seen",
        "url": "http://seen",
        "state": "closed",
        "name": name_of(SEEN.id),
        "streams": 1,
        "queued_tokens": 60,
        "all_streams": 3,
        "all_queued_tokens": 90,
        "running": 2,
        "waiting": 1,
        "kv_cache_usage": None,
    }
    assert (pool["endpoints"][1]["state"], pool["endpoints"][1]["running"]) == ("unprobed", None)


def test_a_fleet_is_ready_when_one_engine_answers_its_probe() -> None:
    assert World(UNSEEN, SEEN).fleet.is_ready
    assert not World(UNSEEN).fleet.is_ready
    assert not World().fleet.is_ready


def test_a_fleet_that_somebody_wakes_is_ready_without_an_engine() -> None:
    """Or nobody's request would ever reach the router that wakes it."""
    asleep = frozenset((POOL.name,))
    assert World(may_be_empty=asleep).fleet.is_ready
    assert not World(UNSEEN, may_be_empty=asleep).fleet.is_ready  # it is awake, and does not answer


def test_who_waits_for_the_first_endpoint_is_counted() -> None:
    for endpoints, counted in (((), 1), ((SEEN,), 0)):
        world = World(*endpoints)
        world.policies.rules.queue(POOL.name).push(Call("m/eyes"), 0.0, 9.0)
        (gauge,) = [each for each in world.fleet.gauges() if each.name == "tramontane_waiting_for_endpoint"]
        assert [({"pool": POOL.name}, counted)] == [(each.labels, each.value) for each in gauge.samples]


def test_gauges_are_read_when_prometheus_asks() -> None:
    world = World(SEEN, UNSEEN)
    for _ in range(2):
        breaker = world.breakers.of(UNSEEN.id)
        breaker.release(breaker.acquire(0.0), Outcome(Verdict.UNAVAILABLE), 0.0)
    values = {
        (family.name, sample.labels.get("endpoint")): sample.value
        for family in world.fleet.gauges()
        for sample in family.samples
    }
    assert values[("tramontane_endpoint_up", "seen")] == 1
    assert values[("tramontane_endpoint_up", "unseen")] == 0
    assert values[("tramontane_endpoint_breaker_open", "unseen")] == 1
    assert values[("tramontane_endpoint_running", "seen")] == 2
    assert ("tramontane_endpoint_running", "unseen") not in values


def test_those_who_wait_are_counted_by_priority() -> None:
    world = World(SEEN)
    world.policies.queues["local"].push(Call("m/eyes", prompt_tokens=70, priority=Priority.BATCH), 0.0, 9.0)
    values = {
        (family.name, sample.labels.get("priority")): sample.value
        for family in world.fleet.gauges()
        for sample in family.samples
    }
    assert [1, 0] == [values["tramontane_queue_length", priority] for priority in ("batch", "normal")]
    assert 70 == values["tramontane_queue_tokens", None]
