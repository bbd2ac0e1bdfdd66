"""Whoever sends may be cancelled at any await; then no connection, task or timer may be left."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from router.upstream.client import Client
from tests import fault_behaviours as faults
from tests.cancelling import CancelAt
from tests.faults import Behaviour, FaultServer
from tests.router.upstream.support import BODY, PATH, Run, attempt_at, nothing_else_runs, soon

SHORT_STREAM_BYTE_BY_BYTE = faults.one_byte_at_a_time(
    faults.STREAM_HEAD + faults.chunk(faults.COMMENT) + faults.chunk(b"data: 1\n\n") * 2 + b"0\r\n\r\n"
)


async def send_and_read(client: Client, url: str, *, stream: bool, body: bytes = BODY) -> None:
    """What the gateway does with an attempt, as short as it can be."""
    reply = await client.send(attempt_at(url), PATH, body, stream=stream)
    try:
        while await reply.read():
            pass
    finally:
        reply.close()


async def use_and_cancel(client: Client, server: FaultServer, n: int, *, stream: bool, body: bytes = BODY) -> bool:
    """Send and read, cancelled at the n-th await. Were there as many?"""
    using = CancelAt(send_and_read(client, server.url, stream=stream, body=body), n)

    async def use() -> None:
        await using

    task = asyncio.create_task(use())
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()  # nothing but the cancellation may come out
    assert using.was_cancelled == task.cancelled()
    return using.was_cancelled


async def through_all_awaits(cancelled_at: Callable[[int], Coroutine[Any, Any, bool]], at_least: int) -> None:
    n = 1
    while await cancelled_at(n):
        n += 1
    assert n > at_least  # else the test would show nothing


@pytest.mark.parametrize(
    ("behaviour", "stream", "size"),
    [
        (faults.good_stream, True, 100),
        (SHORT_STREAM_BYTE_BY_BYTE, True, 100),
        (faults.good_answer, False, 100),
        (faults.bad_request, True, 100),
        (faults.good_stream, True, 5_000_000),
    ],
    ids=["stream", "stream byte by byte", "whole", "error", "stream with a large body"],
)
def test_cancelling_at_any_await_closes_the_connection(run: Run, behaviour: Behaviour, stream: bool, size: int) -> None:
    async def cancelled_at(n: int) -> bool:
        async with FaultServer(behaviour) as server:
            client = Client()
            cancelled = await use_and_cancel(client, server, n, stream=stream, body=b"x" * size)
            if cancelled:
                await soon(server.all_closed())  # although the client lives on
            await client.aclose()
        await nothing_else_runs()
        return cancelled

    run(through_all_awaits(cancelled_at, 2))


def test_cancelling_the_second_try_on_a_fresh_connection_closes_it(run: Run) -> None:
    async def cancelled_at(n: int) -> bool:
        behaviours = (faults.good_answer, faults.closed_before_head, faults.good_answer)
        async with FaultServer(*behaviours) as server:
            client = Client()
            await send_and_read(client, server.url, stream=False)
            cancelled = await use_and_cancel(client, server, n, stream=False)
            await soon(server.all_closed())
            await client.aclose()
        await nothing_else_runs()
        return cancelled

    run(through_all_awaits(cancelled_at, 3))


@pytest.mark.parametrize("stream", [True, False])
def test_an_endpoint_learns_at_once_that_a_request_was_given_up(run: Run, stream: bool) -> None:
    async def main() -> None:
        async with FaultServer(faults.silent) as server, Client() as client:
            task = asyncio.create_task(send_and_read(client, server.url, stream=stream))
            await soon(server.asked.wait())
            task.cancel()
            await soon(server.client_gone.wait())
            assert 1 == server.closed_by_client
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())
