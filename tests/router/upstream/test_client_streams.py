"""The rest of a stream, after its first byte."""

import asyncio

import pytest

from router.policy.outcome import Outcome, StreamBroken, Verdict
from router.upstream.client import Client
from router.upstream.reply import Reply
from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange, FaultServer
from tests.router.upstream.support import BODY, PATH, Run, attempt_at, soon


async def all_of(reply: Reply) -> bytes:
    data = reply.body
    while more := await reply.read():
        data += more
    return data


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (faults.good_stream, b"".join(faults.STREAM)),
        (faults.byte_by_byte_stream, b"".join(faults.STREAM)),
        (faults.two_megabyte_event, b"data: " + b"x" * 2_097_152 + b"\n\n" + faults.DONE),
        (faults.stream([faults.COMMENT, *faults.STREAM]), b"".join([faults.COMMENT, *faults.STREAM])),
    ],
    ids=["good", "byte by byte", "2 MB event", "comment in the first piece"],
)
def test_a_stream_arrives_whole_and_untouched(run: Run, behaviour: Behaviour, expected: bytes) -> None:
    async def main() -> None:
        async with FaultServer(behaviour) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            assert Outcome(Verdict.OK, 200) == reply.outcome
            assert expected == await all_of(reply)
            assert b"" == await reply.read()
            reply.close()

    run(main())


def test_a_slow_first_token_is_waited_for(run: Run) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        async with FaultServer(faults.slow_stream(faults.STREAM, go)) as server, Client() as client:
            sending = asyncio.create_task(client.send(attempt_at(server.url), PATH, BODY, stream=True))
            await soon(server.asked.wait())
            assert not sending.done()
            for _ in faults.STREAM:
                go.put_nowait(None)
            reply = await sending
            assert b"".join(faults.STREAM) == await all_of(reply)

    run(main())


@pytest.mark.parametrize(
    ("behaviour", "detail"),
    [
        (faults.truncated_stream, "the answer was cut off"),
        (faults.stream_cut_between_chunks, "the answer was cut off"),
    ],
    ids=["half a chunk", "no last chunk"],
)
def test_a_stream_that_is_cut_off_is_broken_every_time_it_is_read(run: Run, behaviour: Behaviour, detail: str) -> None:
    async def main() -> None:
        async with FaultServer(behaviour) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            for _ in range(2):
                with pytest.raises(StreamBroken) as broken:
                    await all_of(reply)
                assert Outcome(Verdict.BROKEN, detail=detail) == broken.value.outcome
            reply.close()

    run(main())


def test_a_stream_whose_connection_is_reset_is_broken(run: Run) -> None:
    async def main() -> None:
        go = asyncio.Event()
        behaviour = faults.then_reset(faults.STREAM_HEAD + faults.chunk(faults.STREAM[0]), go)
        async with FaultServer(behaviour) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            go.set()
            with pytest.raises(StreamBroken) as broken:
                await all_of(reply)
            assert Outcome(Verdict.BROKEN, detail="the answer was cut off") == broken.value.outcome

    run(main())


def test_cancelling_a_read_closes_the_connection_by_itself(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.stalled_stream) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            reading = asyncio.create_task(reply.read())
            await asyncio.sleep(0)
            reading.cancel()
            await soon(server.client_gone.wait())

    run(main())


def test_closing_a_stream_does_not_first_send_the_rest_of_a_large_request(run: Run) -> None:
    async def main() -> None:
        size = 60_000_000
        closed = asyncio.Event()
        received: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(faults.STREAM_HEAD + faults.chunk(faults.STREAM[0]))
            await closed.wait()
            total = 0
            try:
                while data := await reader.read(1_000_000):
                    total += len(data)
            except ConnectionResetError:
                pass
            received.set_result(total)
            writer.close()

        server = await asyncio.start_server(answer_early, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Client() as client:
            reply = await client.send(attempt_at(url), PATH, b"x" * size, stream=True)
            reply.close()
            closed.set()
            assert await soon(received) < size

    run(main())


def test_closing_an_unfinished_stream_closes_its_connection_however_often_it_is_closed(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.stalled_stream) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            for _ in range(2):
                reply.close()
            await soon(server.client_gone.wait())
            assert 1 == server.closed_by_client
            with pytest.raises(StreamBroken) as broken:
                await reply.read()
            assert Verdict.CANCELLED == broken.value.outcome.verdict

    run(main())


def test_an_endpoint_is_held_back_while_the_client_reads_nothing(run: Run) -> None:
    async def main() -> None:
        flood = faults.chunk(b"data: " + b"x" * 60_000 + b"\n\n") * 500  # 30 MB, more than sockets hold
        sent = asyncio.Event()

        async def behaviour(exchange: Exchange) -> None:
            exchange.send(faults.STREAM_HEAD + flood)
            await exchange.drained()
            sent.set()
            exchange.send(b"0\r\n\r\n")

        async with FaultServer(behaviour) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
            all_sent = asyncio.create_task(sent.wait())
            done, _ = await asyncio.wait({all_sent}, timeout=0.2)
            assert set() == done
            size = len(reply.body)
            while data := await reply.read():
                size += len(data)
            assert 500 * 60_008 == size
            await soon(all_sent)

    run(main())
