"""A replica that is ending goes on while its callers may not know of it, then turns new work away and nothing else."""

import asyncio
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from serving.drain import RefuseWhileDraining

LEAVE_S = 5.0


@dataclass
class World:
    """A replica behind the middleware, and the time."""

    now: float = 100.0
    draining: bool = False
    guarded: RefuseWhileDraining = field(init=False)

    def __post_init__(self) -> None:
        app = FastAPI()
        app.add_api_route("/work", lambda: "done", methods=["GET", "POST"])
        self.guarded = RefuseWhileDraining(
            app, is_draining=lambda: self.draining, leave_s=LEAVE_S, retry_after_s=7, clock=lambda: self.now
        )

    def ask(self, method: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.guarded)
            async with httpx.AsyncClient(transport=transport, base_url="http://replica") as client:
                return await client.request(method, "/work")

        return asyncio.run(send())

    def leave(self) -> None:
        """It drains, somebody has looked at it, and its time to take work is over."""
        self.draining = True
        self.ask("GET")
        self.now += LEAVE_S


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_replica_in_service_takes_everything(method: str) -> None:
    assert 200 == World().ask(method).status_code


def test_a_replica_that_begins_to_drain_takes_work_until_callers_must_have_heard() -> None:
    world = World(draining=True)
    assert 200 == world.ask("POST").status_code
    world.now += LEAVE_S - 0.1
    assert 200 == world.ask("POST").status_code
    world.now += 0.1
    assert 503 == world.ask("POST").status_code


def test_its_time_begins_with_whoever_looks_at_it_first() -> None:
    world = World()
    world.ask("GET")
    world.now += 1000
    world.leave()
    assert 503 == world.ask("POST").status_code


def test_a_draining_replica_refuses_work_and_says_when_to_come_back() -> None:
    world = World()
    world.leave()
    answer = world.ask("POST")
    assert (503, "7") == (answer.status_code, answer.headers["retry-after"])
    assert 503 == answer.json()["error"]["code"]


def test_a_draining_replica_can_still_be_read() -> None:
    world = World()
    world.leave()
    assert 200 == world.ask("GET").status_code
