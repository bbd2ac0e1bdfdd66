"""What keeps a replica up is work, not looks at it."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from serving.demand import RUNNING, TRACE, CountWork, Demand


def after(method: str) -> tuple[float, float]:
    """What is reported while a request is under way, and after it."""
    demand, seen = Demand(), list[float]()
    app = FastAPI()
    app.add_api_route("/work", lambda: seen.append(demand.report()[RUNNING]), methods=["GET", "POST"])

    async def send() -> None:
        transport = httpx.ASGITransport(CountWork(app, demand=demand))
        async with httpx.AsyncClient(transport=transport, base_url="http://replica") as client:
            await client.request(method, "/work")

    asyncio.run(send())
    return seen[0], demand.report()[RUNNING]


def test_a_request_that_computes_counts_until_it_ends() -> None:
    assert (1, 0) == after("POST")


def test_reading_does_not_count() -> None:
    assert (0, 0) == after("GET")


def test_what_came_and_went_between_two_reports_leaves_a_trace_once() -> None:
    demand = Demand()
    demand.begin()
    demand.end()
    assert [TRACE, 0] == [demand.report()[RUNNING], demand.report()[RUNNING]]


def test_a_request_that_fails_is_over_too() -> None:
    demand = Demand()

    async def broken(*_: object) -> None:
        raise ConnectionResetError

    async def main() -> None:
        with pytest.raises(ConnectionResetError):
            await CountWork(broken, demand=demand)({"type": "http", "method": "POST"}, _nothing, _nothing)

    asyncio.run(main())
    assert 0 == demand.running


async def _nothing(*_: object) -> None:
    """Neither comes nor goes."""


def test_ray_calls_its_count_so() -> None:
    common = pytest.importorskip("ray.serve._private.common")
    assert common.RUNNING_REQUESTS_KEY == RUNNING
