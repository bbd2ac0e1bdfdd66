"""How many of a pool's endpoints can be sent to."""

from dataclasses import replace

from router.catalogue import standings_of
from router.fleet import Fleet
from router.policy.catalog import Dialect, Endpoint, EndpointId, Pool
from router.policy.outcome import Outcome, Verdict
from router.protocol.endpoint_object import Standing
from router.protocol.engine_metrics import EngineMetrics
from tests.router.rules import policies

OURS, FAR = Pool("ours", "m", "m"), Pool("far", "m", "m", dialect=Dialect.OPENAI)
ENDPOINTS = {name: Endpoint(EndpointId(name), f"http://{name}") for name in ("up", "broken", "silent", "there", "away")}


def test_up_is_who_lets_requests_through_and_answers_its_probe() -> None:
    world = policies()
    for name in ("broken", "away"):
        breaker = world.rules.breakers.of(ENDPOINTS[name].id)
        while breaker.is_available(0.0):
            breaker.release(breaker.acquire(0.0), Outcome(Verdict.UNAVAILABLE), 0.0)
    members = {"ours": ("up", "broken", "silent"), "far": ("there", "away")}
    fleet = Fleet(
        pools=[OURS, FAR, Pool("none", "m", "m")],
        endpoints=lambda pool: [ENDPOINTS[name] for name in members.get(pool, ())],
        engine_metrics=lambda endpoint: EngineMetrics() if endpoint.id in ("up", "broken") else None,
        rules=replace(world.rules, picker=lambda pool: world.rules.picker("local")),
        clock=lambda: 0.0,
    )
    assert {"ours": Standing(1, 3), "far": Standing(1, 2)} == standings_of(fleet)
