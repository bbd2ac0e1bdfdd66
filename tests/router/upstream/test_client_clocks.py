"""Each clock of an attempt, on real sockets and in time that the test lets pass."""

import asyncio

import pytest

from router.policy.outcome import Outcome, Phase, StreamBroken, Verdict
from router.upstream.client import Client
from router.upstream.reply import Reply
from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange, FaultServer, blackhole, deaf
from tests.router.upstream.support import BODY, LIMITS, PATH, Run, attempt_at, pass_time, soon


def sending(client: Client, url: str, *, stream: bool, body: bytes = BODY) -> "asyncio.Task[Reply]":
    return asyncio.create_task(client.send(attempt_at(url), PATH, body, stream=stream))


def timeout(phase: Phase, detail: str) -> Outcome:
    return Outcome(Verdict.TIMEOUT, detail=detail, phase=phase)


def test_a_host_that_does_not_answer_runs_into_the_connect_clock(run_in_time: Run) -> None:
    async def main() -> None:
        with blackhole() as url:
            async with Client() as client:
                task = sending(client, url, stream=True)
                await pass_time(0)
                await pass_time(LIMITS.connect_s - 1)
                assert not task.done()
                await pass_time(2)
                reply = await soon(task)
        assert timeout(Phase.CONNECT, "connecting took too long") == reply.outcome

    run_in_time(main())


@pytest.mark.parametrize(
    "behaviour",
    [faults.silent, faults.hang(faults.STREAM_HEAD), faults.comments_for_ever()],
    ids=["silent", "head only", "comments only"],
)
def test_a_stream_without_a_first_token_runs_into_that_clock_and_is_closed(
    run_in_time: Run, behaviour: Behaviour
) -> None:
    async def main() -> None:
        async with FaultServer(behaviour) as server, Client() as client:
            task = sending(client, server.url, stream=True)
            await soon(server.asked.wait())
            await pass_time(LIMITS.first_token_s - 1)
            assert not task.done()
            await pass_time(2)
            reply = await soon(task)
            assert timeout(Phase.FIRST_TOKEN, "no token came in time") == reply.outcome
            await soon(server.client_gone.wait())

    run_in_time(main())


def test_a_whole_answer_has_no_first_token_clock_but_a_total_one(run_in_time: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.silent) as server, Client() as client:
            task = sending(client, server.url, stream=False)
            await soon(server.asked.wait())
            await pass_time(LIMITS.total_s - 1)
            assert not task.done()
            await pass_time(2)
            reply = await soon(task)
            assert timeout(Phase.TOTAL, "the answer took too long as a whole") == reply.outcome
            await soon(server.client_gone.wait())

    run_in_time(main())


@pytest.mark.parametrize("status", [200, 500])
def test_the_rest_of_a_whole_answer_must_come_soon_after_its_head(run_in_time: Run, status: int) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()

        async def half(exchange: Exchange) -> None:
            await go.get()
            exchange.send(faults.head(status, content_length="100") + b"{")
            await go.get()

        async with FaultServer(half) as server, Client() as client:
            task = sending(client, server.url, stream=False)
            await soon(server.asked.wait())
            await pass_time(300)
            go.put_nowait(None)
            await pass_time(0)
            assert not task.done()
            await pass_time(LIMITS.idle_s - 1)
            assert not task.done()
            await pass_time(2)
            reply = await soon(task)
            assert timeout(Phase.IDLE, "the answer stopped coming") == reply.outcome

    run_in_time(main())


def test_an_endpoint_that_does_not_read_a_large_request_is_given_up(run_in_time: Run) -> None:
    async def main() -> None:
        with deaf() as url:
            async with Client() as client:
                task = sending(client, url, stream=True, body=b"x" * 30_000_000)
                await pass_time(0)
                await pass_time(LIMITS.first_token_s - 1)
                assert not task.done()
                await pass_time(2)
                reply = await soon(task)
        assert timeout(Phase.FIRST_TOKEN, "no token came in time") == reply.outcome

    run_in_time(main())


def test_a_request_without_time_left_is_a_timeout_of_the_whole(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.good_stream) as server, Client() as client:
            reply = await client.send(attempt_at(server.url, LIMITS.within(0.0)), PATH, BODY, stream=True)
            assert timeout(Phase.TOTAL, "the answer took too long as a whole") == reply.outcome
            assert [] == server.requests

    run(main())


async def drained(reply: Reply) -> Outcome:
    """How the stream breaks."""
    try:
        while await reply.read():
            pass
    except StreamBroken as broken:
        return broken.outcome
    return reply.outcome


@pytest.mark.parametrize(
    "behaviour", [faults.stalled_stream, faults.stalled_stream_with_comments], ids=["silent", "with comments"]
)
def test_a_stalled_stream_runs_into_the_idle_clock_and_is_closed(run_in_time: Run, behaviour: Behaviour) -> None:
    async def main() -> None:
        async with FaultServer(behaviour) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            reading = asyncio.create_task(drained(reply))
            await pass_time(0)
            await pass_time(LIMITS.idle_s - 1)
            assert not reading.done()
            await pass_time(2)
            assert timeout(Phase.IDLE, "the answer stopped coming") == await soon(reading)
            await soon(server.client_gone.wait())

    run_in_time(main())


def test_the_idle_clock_runs_on_uvloop_too(run: Run) -> None:
    async def main() -> None:
        limits = type(LIMITS)(connect_s=60, first_token_s=60, idle_s=0.05, total_s=600)
        async with FaultServer(faults.stalled_stream) as server, Client() as client:
            reply = await client.send(attempt_at(server.url, limits), PATH, BODY, stream=True)
            assert Phase.IDLE == (await drained(reply)).phase

    run(main())


def test_a_stream_in_which_tokens_come_runs_into_the_total_clock_from_its_sending(run_in_time: Run) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        async with FaultServer(faults.slow_stream([faults.token("x")] * 999, go)) as server, Client() as client:
            task = sending(client, server.url, stream=True)
            await soon(server.asked.wait())
            await pass_time(50)
            go.put_nowait(None)
            reply = await soon(task)
            for _ in range(26):  # 570 s since the sending, 520 since the first token
                await pass_time(20)
                go.put_nowait(None)
                assert b"" != await soon(reply.read())
            reading = asyncio.create_task(drained(reply))
            await pass_time(31)
            assert timeout(Phase.TOTAL, "the answer took too long as a whole") == await soon(reading)

    run_in_time(main())


def test_a_reply_that_nobody_reads_or_closes_is_closed_by_its_total_clock(run_in_time: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.stalled_stream) as server, Client() as client:
            await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            await pass_time(LIMITS.total_s - 1)
            assert 1 == len(server.open)
            await pass_time(2)
            await soon(server.client_gone.wait())

    run_in_time(main())


def test_a_client_that_reads_slowly_is_not_the_endpoints_silence(run_in_time: Run) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        async with FaultServer(faults.slow_stream(faults.STREAM, go)) as server, Client() as client:
            go.put_nowait(None)
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            await pass_time(5 * LIMITS.idle_s)
            for _ in faults.STREAM[1:]:
                go.put_nowait(None)
            data = reply.body
            while more := await reply.read():
                data += more
            assert b"".join(faults.STREAM) == data

    run_in_time(main())
