"""What one configuration's pools take over from those of the one before."""

import asyncio
import random
from typing import Any

from router.config import Config, parse
from router.learnt import Learnt
from router.policies import Policies
from router.policy.call import Call
from router.policy.catalog import Endpoint, EndpointId
from router.policy.deadline import Deadlines
from router.policy.draft import Conditions
from router.shared import Holder, Shared
from router.upstream.directory import Directory
from tests.router.rules import Seen

ENGINE = Endpoint(EndpointId("a:1"), "http://a:1")


class World:
    def __init__(self) -> None:
        self.directory = Directory(clock=lambda: 0.0)
        self.learnt = Learnt(self.config(), self.directory, clock=lambda: 0.0)
        self.shared = Shared()
        self.directory.replace("local", [ENGINE])

    def config(
        self, pool: dict[str, Any] | None = None, spare: dict[str, Any] | None = None, **sections: Any
    ) -> Config:
        discovery = {"kind": "static", "endpoints": ["http://a:1"]}
        pools = [{"name": "local", "upstream_model": "eyes", "discovery": discovery, **(pool or {})}]
        if spare is not None:
            pools.append({"name": "spare", "upstream_model": "eyes", "discovery": discovery, **spare})
        model = {"id": "m/eyes", "context_length": 8192, "pools": pools}
        return parse({"allow_anonymous": True, "models": [model], **sections}, source="test")

    def policies(
        self,
        holder: Holder,
        pool: dict[str, Any] | None = None,
        spare: dict[str, Any] | None = None,
        **sections: Any,
    ) -> Policies:
        return Policies(
            self.config(pool, spare, **sections),
            self.learnt,
            holder,
            slots={"local": "local", "spare": "spare"},
            endpoints=self.directory.endpoints,
            observer=Seen(),
            rng=random.Random(1),
        )


def test_a_pool_whose_settings_stay_keeps_what_it_has_learnt() -> None:
    world = World()
    before = world.policies(Holder(world.shared))
    before.pickers["local"].forecast.learn(ENGINE.id, tokens=4_000, predicted_s=1.0, actual_s=2.0)
    after = world.policies(Holder(world.shared), {"price": {"prompt": 1.0}}, deadlines={"total_s": 9.0})
    assert after.pickers["local"].forecast.bias(ENGINE.id) > 1.0
    assert after.pickers["local"].forecast is before.pickers["local"].forecast
    assert after.hedges["local"] is before.hedges["local"]
    assert after.rules.retry_budget is before.rules.retry_budget
    assert after.rules.deadlines("local").total_s == 9.0
    assert before.rules.deadlines("local").total_s == 600.0


def test_a_provider_has_longer_to_be_reached_than_an_engine_next_door() -> None:
    world = World()
    provider = {"slug": "theirs", "url": "https://a.example"}

    def limits(pool: dict[str, Any] | None = None, **more: float) -> list[Deadlines]:
        burst = {"provider": "theirs", "discovery": None, **(pool or {})}
        policies = world.policies(Holder(world.shared), spare=burst, providers=[{**provider, **more}])
        return [policies.rules.deadlines(name) for name in ("local", "spare")]

    assert [Deadlines(), Deadlines(connect_s=5.0)] == limits()
    assert [Deadlines(), Deadlines(connect_s=2.5, idle_s=9.0)] == limits({"deadlines": {"idle_s": 9.0}}, connect_s=2.5)


def test_other_settings_begin_anew_and_leave_the_former_ones_alone() -> None:
    world = World()
    before = world.policies(Holder(world.shared))
    after = world.policies(
        Holder(world.shared),
        {"forecast": {"prefill_tokens_per_s": 500.0}},
        hedge={"enabled": True},
        retry_budget={"ratio": 0.5},
    )
    assert after.pickers["local"].forecast.rate == 500.0
    assert before.pickers["local"].forecast.rate == 16_000.0
    assert after.hedges["local"] is not before.hedges["local"]
    assert after.rules.retry_budget is not before.rules.retry_budget


def test_those_who_wait_are_in_one_queue_under_both_configurations() -> None:
    world = World()
    before = world.policies(Holder(world.shared))
    before.queues["local"].push(Call("m/eyes", prompt_tokens=7), 0.0, 9.0)
    after = world.policies(Holder(world.shared), {"admission": {"saturated_s": 9.0}})
    assert after.queues["local"].queued_tokens == 7


def test_an_endpoint_that_leaves_is_forgotten_by_every_forecast_that_is_asked() -> None:
    async def main() -> None:
        world = World()
        holders = [Holder(world.shared), Holder(world.shared)]
        before = world.policies(holders[0]).pickers["local"].forecast
        after = world.policies(holders[1], {"forecast": {"learning": 0.5}}).pickers["local"].forecast
        for forecast in (before, after):
            forecast.learn(ENGINE.id, tokens=4_000, predicted_s=1.0, actual_s=2.0)
        await holders[0].aclose()
        world.directory.drop("local")
        assert (before.bias(ENGINE.id) > 1.0, after.bias(ENGINE.id)) == (True, 1.0)
        await holders[1].aclose()
        assert len(world.shared) == 0

    asyncio.run(main())


def test_sessions_stay_with_their_pools() -> None:
    world = World()
    call, mine = Call("m/eyes", prompt_tokens=7), Conditions(session="mine")
    before, after = (world.policies(Holder(world.shared), spare={"tier": 0}) for _ in range(2))
    for name in ("local", "spare"):
        pool = next(each for each in before.names.pools("m/eyes") if each.name == name)
        before.planner.has_served(call, mine, pool, 0.0)
        assert after.planner.plan(call, 0.0, mine).pools[0].name == name
