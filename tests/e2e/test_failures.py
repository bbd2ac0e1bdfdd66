"""What callers notice when engines die or hang: nothing before the first byte, a well-formed error after it."""

import asyncio
import json
import os
import signal
import time
from typing import Any

import aiohttp
import httpx
import pytest

from tests.e2e.asking import Asker
from tests.e2e.engines import until
from tests.e2e.fleet import Engine, Fleet

LONG: dict[str, Any] = {"ignore_eos": True, "max_tokens": 3_000, "temperature": 1.0}
SUM = "What is 7 plus 5?"
GONE_WITHIN_S = 20.0


def metric(engine: Engine, beginning: str) -> float:
    """The sum of an engine's own samples whose lines begin so."""
    text = httpx.get(f"{engine.url}/metrics", timeout=10).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(beginning))


def running(engine: Engine) -> float:
    """Requests in the engine's batch."""
    return metric(engine, "vllm:num_requests_running")


def all_running(fleet: Fleet) -> float:
    return sum(running(engine) for engine in fleet.engines())


def generated(fleet: Fleet) -> float:
    """Tokens that the engines have generated since their starts."""
    return sum(metric(engine, "vllm:generation_tokens_total") for engine in fleet.engines())


async def streamed(session: aiohttp.ClientSession, fleet: Fleet, question: str, **fields: Any) -> tuple[int, list[Any]]:
    """Status and events of a stream; an answer that is no stream is its only event."""
    body = {
        "model": fleet.model,
        "messages": [{"role": "user", "content": question}],
        "temperature": 0,
        "max_tokens": 60,
        "stream": True,
        **fields,
    }
    async with session.post(f"{fleet.base_url}/chat/completions", json=body) as response:
        text = (await response.read()).decode()
    if response.status != 200:
        return response.status, [json.loads(text)]
    lines = [line[6:] for line in text.split("\n\n") if line.startswith("data: ")]
    return 200, [line if line == "[DONE]" else json.loads(line) for line in lines]


def said(events: list[Any]) -> str:
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events[:-1])


@pytest.mark.parametrize("stream", [True, False])
def test_when_the_client_leaves_the_engine_stops_working(fleet: Fleet, stream: bool) -> None:
    before = generated(fleet)

    async def leave() -> None:
        async with aiohttp.ClientSession(headers=fleet.headers) as session:
            asking = asyncio.ensure_future(streamed(session, fleet, "Tell me a story.", **{**LONG, "stream": stream}))
            while await asyncio.to_thread(all_running, fleet) == 0:
                assert not asking.done()
            asking.cancel()
            await asyncio.wait((asking,))

    asyncio.run(leave())
    until(lambda: all_running(fleet) == 0, GONE_WITHIN_S, "the engine works on for nobody")
    assert generated(fleet) - before < LONG["max_tokens"]


@pytest.mark.disruptive
def test_a_killed_replica_costs_no_request_that_had_no_byte_yet(ask: Asker, fleet: Fleet) -> None:
    victim = fleet.engines()[0]

    async def main() -> None:
        async with aiohttp.ClientSession(headers=fleet.headers) as session:
            long = [asyncio.ensure_future(streamed(session, fleet, "Tell me a story.", **LONG)) for _ in range(6)]
            while await asyncio.to_thread(running, victim) == 0:
                assert not any(task.done() for task in long)
            os.kill(victim.pid, signal.SIGKILL)
            short = [await streamed(session, fleet, SUM) for _ in range(20)]
            assert [(200, "7 plus 5 is 12.")] * 20 == [(status, said(events)) for status, events in short]
            ends = [await task for task in long]
        broken = [events for status, events in ends if "error" in events[-2]]
        assert {status for status, _ in ends} == {200}
        assert broken  # those that were on the victim and had begun
        for events in broken:
            error = events[-2]
            told = error["error"]["code"], error["error"]["metadata"]["error_type"]
            # The second: an engine that starves beside one that is starting on the same two cores.
            assert told in ((502, "provider_unavailable"), (504, "timeout"))
            assert error["choices"][0]["finish_reason"] == "error"
            assert events[-1] == "[DONE]"

    asyncio.run(main())
    fleet.wait_until_whole()
    assert ask.text(SUM) == "7 plus 5 is 12."


@pytest.mark.disruptive
def test_a_hung_engine_is_replaced_and_its_waiting_requests_are_answered_elsewhere(fleet: Fleet) -> None:
    victim = fleet.engines()[0]
    os.kill(victim.core_pid, signal.SIGSTOP)
    began = time.monotonic()

    async def main() -> list[tuple[int, str]]:
        async with aiohttp.ClientSession(headers=fleet.headers) as session:
            asked = [streamed(session, fleet, SUM) for _ in range(12)]
            return [(status, said(events)) for status, events in await asyncio.gather(*asked)]

    answers = asyncio.run(main())
    assert [(200, "7 plus 5 is 12.")] * 12 == answers, f"after {time.monotonic() - began:.0f} s"
    fleet.wait_until_whole()
    assert victim.name not in {engine.name for engine in fleet.engines()}
