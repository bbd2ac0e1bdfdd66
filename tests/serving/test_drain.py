"""A replica that is ending turns new work away and nothing else."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from serving.drain import RefuseWhileDraining


def ask(method: str, *, draining: bool) -> httpx.Response:
    """One request to an application behind the middleware."""
    app = FastAPI()
    app.add_api_route("/work", lambda: "done", methods=["GET", "POST"])
    guarded = RefuseWhileDraining(app, is_draining=lambda: draining, retry_after_s=7)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://replica") as client:
            return await client.request(method, "/work")

    return asyncio.run(send())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_replica_in_service_takes_everything(method: str) -> None:
    assert 200 == ask(method, draining=False).status_code


def test_a_draining_replica_refuses_work_and_says_when_to_come_back() -> None:
    answer = ask("POST", draining=True)
    assert (503, "7") == (answer.status_code, answer.headers["retry-after"])
    assert 503 == answer.json()["error"]["code"]


def test_a_draining_replica_can_still_be_read() -> None:
    assert 200 == ask("GET", draining=True).status_code
