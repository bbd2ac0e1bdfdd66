"""Endpoints that were given up are tried out with one token, and no caller's request."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from router.policy.attempt import Attempt
from router.policy.breaker import BreakerSettings, State
from router.policy.breakers import Breakers
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.outcome import Outcome, StreamBroken, Verdict
from router.upstream.reviver import Reviver

POOL = Pool("local", "m", "served")
BAD, GOOD = (Endpoint(EndpointId(name), f"http://{name}") for name in ("bad", "good"))
REFUSED = Outcome(Verdict.UNAVAILABLE)
OK = Outcome(Verdict.OK, 200)


class Reply:
    def __init__(self, outcome: Outcome, *more: bytes | Outcome) -> None:
        self.outcome = outcome
        self.body = b"data: {}\n\n"
        self.more = list(more)
        self.is_closed = False

    async def read(self) -> bytes:
        following = self.more.pop(0) if self.more else b""
        if isinstance(following, Outcome):
            raise StreamBroken(following)
        return following

    def close(self) -> None:
        self.is_closed = True


class World:
    """Two endpoints, of which `bad` refused twice."""

    def __init__(self, *replies: Reply) -> None:
        self.now = 0.0
        self.replies = list(replies)
        self.given = list(replies)
        self.sent: list[tuple[EndpointId, dict[str, Any]]] = []
        self.breakers = Breakers(BreakerSettings())
        breaker = self.breakers.of(BAD.id)
        for _ in range(2):
            breaker.release(breaker.acquire(0.0), REFUSED, 0.0)
        self.reviver = Reviver(
            pools=[POOL],
            endpoints=lambda pool: [BAD, GOOD],
            breakers=self.breakers,
            deadlines=lambda pool: Deadlines(),
            client=self,  # type: ignore[arg-type]
            clock=lambda: self.now,
            interval_s=1.0,
        )

    async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> Reply:
        self.sent.append((attempt.endpoint.id, json.loads(body)))
        await asyncio.sleep(0)
        return self.replies.pop(0)

    def state(self) -> State:
        return self.breakers.of(BAD.id).state(self.now)

    async def round(self) -> None:
        async with asyncio.TaskGroup() as group:
            self.reviver.start_round(group)
            self.reviver.start_round(group)  # one at a time


def test_nobody_is_asked_before_the_breakers_time_is_over() -> None:
    world = World()
    asyncio.run(world.round())
    assert [] == world.sent


def test_a_good_answer_of_one_token_closes_the_breaker() -> None:
    world = World(Reply(OK, b"data: [DONE]\n\n"))
    world.now = 1.0
    asyncio.run(world.round())
    ((endpoint, body),) = world.sent
    assert ("bad", "served", 1) == (endpoint, body["model"], body["max_tokens"])
    assert (State.CLOSED, True) == (world.state(), world.given[0].is_closed)


@pytest.mark.parametrize(
    "reply",
    [
        lambda: Reply(REFUSED),
        lambda: Reply(Outcome(Verdict.UNAVAILABLE, 500)),
    ],
)
def test_a_bad_answer_opens_it_for_longer(reply: Callable[[], Reply]) -> None:
    world = World(reply())
    world.now = 1.0
    asyncio.run(world.round())
    assert State.OPEN is world.state()
    world.now = 2.0
    assert not world.breakers.of(BAD.id).wants_probe(world.now)


def test_a_stream_that_breaks_after_its_first_byte_has_closed_it_and_counts_as_a_fault() -> None:
    world = World(Reply(OK, Outcome(Verdict.BROKEN)))
    world.now = 1.0
    asyncio.run(world.round())
    assert (State.CLOSED, True) == (world.state(), world.given[0].is_closed)


def test_a_probe_that_is_cancelled_is_given_back() -> None:
    async def scenario() -> None:
        world = World()
        world.now = 1.0

        async def never(attempt: Attempt, path: str, body: bytes, *, stream: bool) -> Reply:
            await asyncio.Event().wait()
            raise AssertionError

        world.send = never  # type: ignore[method-assign]
        running = asyncio.create_task(world.reviver.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not world.breakers.of(BAD.id).wants_probe(world.now)
        running.cancel()
        await asyncio.wait([running])
        assert world.breakers.of(BAD.id).wants_probe(world.now)

    asyncio.run(scenario())


def test_a_pool_with_a_way_of_its_own_is_asked_so_and_no_request_is_made() -> None:
    world = World()
    asked: list[EndpointId] = []

    async def check(attempt: Attempt) -> Reply:
        asked.append(attempt.endpoint.id)
        return Reply(OK)

    world.reviver = Reviver(
        pools=[POOL],
        endpoints=lambda pool: [BAD, GOOD],
        breakers=world.breakers,
        deadlines=lambda pool: Deadlines(),
        client=world,  # type: ignore[arg-type]
        clock=lambda: world.now,
        interval_s=1.0,
        asks={POOL.name: check},  # type: ignore[dict-item]
    )
    world.now = 1.0
    asyncio.run(world.round())
    assert ([BAD.id], [], State.CLOSED) == (asked, world.sent, world.state())
