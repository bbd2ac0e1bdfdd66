"""Which connections the client uses, and what it sends on them."""

import asyncio
from contextlib import suppress

import pytest

from router.policy.outcome import Outcome, Verdict
from router.upstream.client import Client
from router.upstream.settings import ClientSettings
from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange, FaultServer
from tests.router.upstream.support import BODY, PATH, Run, attempt_at, nothing_else_runs, pass_time, soon


@pytest.mark.parametrize("stream", [True, False])
def test_one_connection_serves_request_after_request(run: Run, stream: bool) -> None:
    async def main() -> None:
        good = faults.good_stream if stream else faults.good_answer
        async with FaultServer(good) as server, Client() as client:
            for _ in range(3):
                reply = await client.send(attempt_at(server.url), PATH, BODY, stream=stream)
                while await reply.read():
                    pass
                reply.close()
            assert (3, 1) == (len(server.requests), server.accepted)

    run(main())


def test_an_answer_that_came_whole_gives_its_connection_back_even_if_nobody_read_it(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.good_stream) as server, Client() as client:
            for _ in range(2):
                reply = await client.send(attempt_at(server.url), PATH, BODY, stream=True)
                reply.close()
            assert (2, 1) == (len(server.requests), server.accepted)

    run(main())


@pytest.mark.parametrize("failure", [faults.closed_before_head, faults.reset_before_head], ids=["closed", "reset"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_pooled_connection_that_turns_out_closed_is_no_failure(run: Run, failure: Behaviour, stream: bool) -> None:
    async def main() -> None:
        good = faults.good_stream if stream else faults.good_answer
        async with FaultServer(good, failure, good) as server, Client() as client:
            for _ in range(2):
                reply = await client.send(attempt_at(server.url), PATH, BODY, stream=stream)
                assert Outcome(Verdict.OK, 200) == reply.outcome
                reply.close()
            assert [BODY, BODY, BODY] == [request.body for request in server.requests]
            assert 2 == server.accepted

    run(main())


def test_only_one_more_connection_is_tried(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.good_answer, faults.closed_before_head) as server, Client() as client:
            await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            assert Verdict.UNAVAILABLE == reply.outcome.verdict
            assert 3 == len(server.requests)

    run(main())


def test_a_request_that_kills_a_fresh_connection_is_not_sent_twice(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.closed_before_head, faults.good_answer) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            assert Verdict.UNAVAILABLE == reply.outcome.verdict
            assert 1 == len(server.requests)

    run(main())


def test_a_cut_off_answer_on_a_pooled_connection_is_not_sent_twice(run: Run) -> None:
    async def main() -> None:
        behaviours = (faults.good_answer, faults.shorter_than_its_length, faults.good_answer)
        async with FaultServer(*behaviours) as server, Client() as client:
            await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            assert Verdict.UNAVAILABLE == reply.outcome.verdict
            assert 2 == len(server.requests)

    run(main())


def test_requests_at_once_do_not_wait_for_each_other(run: Run) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        async with FaultServer(faults.slow_stream(faults.STREAM, go)) as server, Client() as client:
            sends = [client.send(attempt_at(server.url), PATH, BODY, stream=True) for _ in range(200)]
            tasks = [asyncio.create_task(send) for send in sends]
            for _ in range(200 * len(faults.STREAM)):
                go.put_nowait(None)
            replies = await asyncio.gather(*tasks)
            for reply in replies:
                while await reply.read():
                    pass
            assert (200, 200) == (len(server.requests), server.accepted)

    run(main())


def test_what_is_sent_is_the_body_untouched_and_no_secret_of_the_clients(run: Run) -> None:
    async def main() -> None:
        body = b'{"model":"m","messages":[]}  \xff'
        theirs = {
            "Authorization": "Bearer sk-client",
            "Cookie": "a=b",
            "X-API-Key": "sk-client",
            "Connection": "close, X-Hop",
            "X-Hop": "1",
            "Host": "elsewhere",
            "Content-Length": "1",
            "Accept-Encoding": "gzip",
            "traceparent": "00-1-2-01",
            "User-Agent": "curl",
            "accept": "text/html",
            "X-Bad": "a\r\nX-Injected: 1",
        }
        own = {"Authorization": "Bearer sk-engine"}
        async with FaultServer(faults.good_answer) as server, Client(own_headers=own) as client:
            await client.send(attempt_at(server.url), PATH, body, stream=False, headers=theirs)
        (request,) = server.requests
        expected = {
            "host": server.url.removeprefix("http://"),
            "content-type": "application/json",
            "content-length": str(len(body)),
            "accept": "*/*",
            "accept-encoding": "identity",
            "user-agent": "tramontane",
            "x-request-disconnect-disabled": "?1",
            "authorization": "Bearer sk-engine",
            "traceparent": "00-1-2-01",
        }
        assert ("POST", PATH, body, expected) == (request.method, request.path, request.body, request.headers)

    run(main())


def test_proxies_of_the_environment_are_not_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with FaultServer(faults.good_answer) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            assert Outcome(Verdict.OK, 200) == reply.outcome

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    run(main())


@pytest.mark.parametrize("size", [1_048_576, 1_048_577, 8_000_000])
def test_a_large_body_arrives_whole(run: Run, size: int) -> None:
    async def main() -> None:
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        async with FaultServer(faults.good_answer) as server, Client() as client:
            reply = await client.send(attempt_at(server.url), PATH, body, stream=False)
            assert Outcome(Verdict.OK, 200) == reply.outcome
        assert (True, str(size)) == (body == server.requests[0].body, server.requests[0].headers["content-length"])

    run(main())


def test_a_large_body_is_sent_whole_again_when_the_pooled_connection_was_closed(run: Run) -> None:
    async def main() -> None:
        body = b"x" * 2_000_000
        behaviours = (faults.good_answer, faults.closed_before_head, faults.good_answer)
        async with FaultServer(*behaviours) as server, Client() as client:
            for _ in range(2):
                reply = await client.send(attempt_at(server.url), PATH, body, stream=False)
                assert Outcome(Verdict.OK, 200) == reply.outcome
            assert [2_000_000] * 3 == [len(request.body) for request in server.requests]

    run(main())


def test_a_connection_that_has_waited_long_enough_is_closed_and_no_timer_stays(run_in_time: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.good_answer) as server, Client(ClientSettings(keepalive_s=3.0)) as client:
            for wait_s in (2.0, 2.0, 4.0):  # its time begins anew with each use
                await client.send(attempt_at(server.url), PATH, BODY, stream=False)
                await pass_time(wait_s)
            await soon(server.all_closed())
            await nothing_else_runs()
            await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            assert (4, 2) == (len(server.requests), server.accepted)

    run_in_time(main())


def test_the_connection_that_was_used_last_is_used_first_so_that_others_can_go(run_in_time: Run) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        slow = faults.slow_stream(faults.STREAM, go)
        async with FaultServer(slow, slow, faults.good_answer) as server, Client() as client:
            sends = [client.send(attempt_at(server.url), PATH, BODY, stream=True) for _ in range(2)]
            tasks = [asyncio.create_task(send) for send in sends]
            for _ in range(2 * len(faults.STREAM)):
                go.put_nowait(None)
            for reply in await soon(asyncio.gather(*tasks)):
                while await reply.read():
                    pass
            await pass_time(2.0)
            await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            await pass_time(2.0)
            assert (2, 1) == (server.accepted, len(server.open))

    run_in_time(main())


def test_an_idle_connection_that_begins_to_speak_is_closed(run: Run) -> None:
    async def main() -> None:
        async def answer_twice(exchange: Exchange) -> None:
            await faults.good_answer(exchange)
            await go.wait()
            exchange.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
            await exchange.gone.wait()

        go = asyncio.Event()
        async with FaultServer(answer_twice, faults.good_answer) as server, Client() as client:
            await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            go.set()
            await soon(server.all_closed())
            reply = await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            assert (Outcome(Verdict.OK, 200), 2) == (reply.outcome, server.accepted)

    run(main())


def test_an_answer_that_came_before_the_whole_request_was_sent_ends_its_connection(run: Run) -> None:
    async def main() -> None:
        async def refuse_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(faults.head(413, content_length="2") + b"{}")
            with suppress(ConnectionError):
                while await reader.read(1_000_000):
                    pass
            ended.set()
            writer.close()

        ended = asyncio.Event()
        server = await asyncio.start_server(refuse_early, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Client() as client:
            reply = await client.send(attempt_at(url), PATH, b"x" * 60_000_000, stream=False)
            assert Outcome(Verdict.REJECTED, 413, "HTTP 413") == reply.outcome
            await soon(ended.wait())  # although the client lives on

    run(main())
