"""Waiting for a turn, with a clock that is turned by hand."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from router.lobby import Lobby
from router.policy.admission import AdmissionSettings
from router.policy.call import Call, Priority
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.lease import Pick
from router.policy.load import TokenLoad
from router.policy.route import Reason, Refusal, Rules, Wait, route
from tests.router.rules import Seen, rules

POOL = Pool("local", "m", "m")
ONLY = Endpoint(EndpointId("only"), "http://only")
LONG = Call("m", prompt_tokens=3_000)


class World:
    """One endpoint that is saturated by one long prompt."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rules = rules(
            lambda pool: [ONLY],
            observer=Seen(),
            load=TokenLoad(),
            admission=AdmissionSettings(saturated_s=1.0),
        )
        self.lobby = Lobby(lambda: self.now, sleep=lambda seconds: asyncio.sleep(0))
        self.order: list[str] = []
        self.busy = next(route(LONG, [POOL], self.rules, lambda: self.now))

    async def through(self, name: str, call: Call, under: Rules | None = None) -> Pick | Refusal:
        """What a gateway does until there is something to send."""
        rules = under or self.rules
        steps = route(call, [POOL], rules, lambda: self.now)
        try:
            step = next(steps)
            while isinstance(step, Wait):
                await self.lobby.wait(step, rules)
                step = steps.send(None)
        except StopIteration as stop:
            refusal: Refusal = stop.value
            return refusal
        self.order.append(name)
        return step

    def free(self) -> None:
        assert isinstance(self.busy, Pick)
        self.busy.lease.commit()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (it happens in this loop)
            await asyncio.sleep(0)


def test_those_who_wait_go_on_in_their_turn_and_one_at_a_time() -> None:
    async def scenario() -> None:
        world = World()
        urgent = Call("m", prompt_tokens=3_000, priority=Priority.CRITICAL)
        calls = {"first": LONG, "second": LONG, "urgent": urgent}
        tasks = {name: asyncio.create_task(world.through(name, call)) for name, call in calls.items()}
        await until(lambda: len(world.lobby) == 3)
        world.free()
        for turn, name in enumerate(("urgent", "first", "second"), start=1):
            pick = await tasks[name]
            assert isinstance(pick, Pick)
            await asyncio.sleep(0.01)
            assert turn == len(world.order)  # nobody else, before it is read
            pick.lease.commit()
        assert ["urgent", "first", "second"] == world.order
        assert 0 == len(world.lobby)

    asyncio.run(scenario())


def test_who_has_left_takes_no_turn() -> None:
    async def scenario() -> None:
        world = World()
        gone = asyncio.create_task(world.through("gone", LONG))
        await until(lambda: len(world.lobby) == 1)
        gone.cancel()
        await asyncio.wait([gone])
        assert (0, 0) == (len(world.lobby), len(world.rules.queue("local")))

    asyncio.run(scenario())


def test_who_waits_too_long_is_refused() -> None:
    async def scenario() -> None:
        world = World()
        refusal = await world.through("late", Call("m", prompt_tokens=10, first_token_s=3.6))
        assert isinstance(refusal, Refusal)
        assert Reason.EXPIRED is refusal.reason
        assert 0 == len(world.rules.queue("local"))

    asyncio.run(scenario())


def test_those_of_two_configurations_stand_in_one_line_and_fill_no_place_twice() -> None:
    async def scenario() -> None:
        world = World()
        after = replace(world.rules, waiting_room_s=1.0)  # of a later configuration: the pool's queue is the same
        first = asyncio.create_task(world.through("first", LONG))
        await until(lambda: len(world.lobby) == 1)
        second = asyncio.create_task(world.through("second", LONG, after))
        await until(lambda: len(world.lobby) == 2)
        world.free()
        for turn, task in enumerate((first, second), start=1):
            pick = await task
            assert isinstance(pick, Pick)
            await asyncio.sleep(0.01)
            assert turn == len(world.order)
            pick.lease.commit()
        assert ["first", "second"] == world.order

    asyncio.run(scenario())
