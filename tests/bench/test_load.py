"""The load generator against the cheap upstream, over loopback in one process."""

import asyncio
import json
import os
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from itertools import pairwise

import pytest

from bench import upstream
from bench.bodies import Body
from bench.connection import Connection
from bench.jobs import Pace, Saturate, Stream, Target
from bench.load import arrivals, connect, pace, saturate, stream
from tests.ordinary import not_ordinary


class Watched(upstream.Upstream):
    """An upstream's connection whose beginning and end can be waited for."""

    def __init__(self, state: upstream.State) -> None:
        super().__init__(state)
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.began.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended.set()


class Silent(Watched):
    """Never answers."""

    def on_message_complete(self) -> None:
        self.began.set()


class Saying(Watched):
    """Answers every request with the same bytes and hangs up."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(upstream.State())
        self._answer_with = answer

    def on_message_complete(self) -> None:
        self._transport.write(self._answer_with)
        self._transport.close()


@asynccontextmanager
async def serving(factory: Callable[[], Watched]) -> AsyncIterator[tuple[Target, list[Watched]]]:
    connections: list[Watched] = []

    def make() -> Watched:
        connections.append(factory())
        return connections[-1]

    async with await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0) as server:
        yield Target(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", upstream.MODEL), connections
        for connection in connections:
            await connection.ended.wait()


async def ask(target: Target, *, stream: bool, max_tokens: int = 5) -> Connection:
    connection = await connect(target.address)
    done: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    raw = target.request(Body.SMALL, max_tokens=max_tokens, stream=stream)
    connection.ask(raw, is_stream=stream, on_done=done.set_result)
    await done
    connection.close()
    return connection


def against_cheap(check: Callable[[Target, upstream.State], Awaitable[None]]) -> None:
    async def scenario() -> None:
        state = upstream.State()
        state.interval_s = 0.0
        async with serving(lambda: Watched(state)) as (target, _):
            await check(target, state)

    asyncio.run(scenario())


def test_a_stream_has_its_tokens_and_frames_around_them() -> None:
    async def check(target: Target, state: upstream.State) -> None:
        connection = await ask(target, stream=True, max_tokens=5)
        assert (None, 1 + 5 + 1 + 1) == (connection.failure, connection.events)  # role, tokens, usage, [DONE]
        assert connection.first_event_at > 0
        assert (0, 1) == (state.running, state.served)

    against_cheap(check)


def test_a_plain_answer_is_good() -> None:
    async def check(target: Target, state: upstream.State) -> None:
        assert (await ask(target, stream=False)).failure is None

    against_cheap(check)


def test_a_stream_that_is_hung_up_on_is_no_longer_running() -> None:
    async def scenario() -> None:
        state = upstream.State()
        async with serving(lambda: Watched(state)) as (target, connections):
            connection = await connect(target.address)
            raw = target.request(Body.SMALL, max_tokens=9, stream=True)
            connection.ask(raw, is_stream=True, on_done=lambda _: None)
            await connections[0].began.wait()
            assert 1 == state.running
            connection.close()
            await connections[0].ended.wait()
            assert 0 == state.running

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "is_stream", "failure"),
    [
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 5\r\n\r\nlater", False, "status 503: later"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", False, "an answer without usage: {}"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ndata: {}\n", True, "a stream ended without [DONE]: data: {}\n"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ndata: {", True, "connection lost in an answer: None"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", False, "not HTTP: HttpParserError"),
    ],
)
def test_an_answer_that_is_not_good_is_told_in_words(answer: bytes, is_stream: bool, failure: str) -> None:
    async def scenario() -> None:
        async with serving(lambda: Saying(answer)) as (target, _):
            told = (await ask(target, stream=is_stream)).failure
            assert told is not None
            assert told.startswith(failure)

    asyncio.run(scenario())


def test_a_mark_cut_in_two_is_counted_once() -> None:
    connection = Connection()
    connection._is_stream = True
    for part in (b"da", b"ta: a\n\ndata", b": b\n\n", b"data: ", b"c\n\n", b"d", b"ata: d\n\n"):
        connection.on_body(part)
    assert 4 == connection.events


def test_a_comment_is_no_first_event() -> None:
    connection = Connection()
    connection._is_stream = True
    connection.on_body(b": WAIT\n\n")
    assert 0.0 == connection.first_event_at
    connection.on_body(b"data: {}\n\n")
    assert connection.first_event_at > 0.0


def test_saturation_counts_requests_and_the_cpu_of_the_process_it_watches() -> None:
    async def check(target: Target, state: upstream.State) -> None:
        result = await saturate(Saturate(target, os.getpid(), Body.SMALL, connections=4, warm_s=0.0, window_s=0.3))
        assert [] == result.failures
        assert 0 < result.requests <= state.served
        assert 0 < result.cpu_s <= 0.4

    against_cheap(check)


def test_streams_are_counted_by_their_tokens() -> None:
    async def check(target: Target, state: upstream.State) -> None:
        state.interval_s = 0.02
        job = Stream(target, os.getpid(), streams=10, ramp_s=0.05, settle_s=0.1, window_s=0.4)
        result = await stream(job)
        assert [] == result.failures
        assert 0 < result.tokens <= 10 * (result.seconds / 0.02 + 2)
        assert result.peak_mb > 0

    against_cheap(check)


def test_streams_that_stay_silent_are_a_failure() -> None:
    async def scenario() -> None:
        async with serving(lambda: Silent(upstream.State())) as (target, _):
            result = await stream(
                Stream(target, os.getpid(), streams=3, ramp_s=0.0, settle_s=0.0, window_s=0.01, patience_s=0.01)
            )
        assert ["3 of 3 streams had no token 0.01 s after the last began"] == result.failures

    asyncio.run(scenario())


def test_a_paced_load_sends_every_request_that_is_due_to_each_target() -> None:
    async def check(target: Target, state: upstream.State) -> None:
        result = await pace(Pace([target, target], per_s=200.0, warm_s=0.0, window_s=0.3, max_tokens=2, seed=1))
        due = [len(arrivals(200.0, 0.3, random.Random(f"1 {number}"))) for number in (0, 1)]
        assert [] == result.failures
        assert due == [len(latencies) for latencies in result.first_event_ms]
        assert sum(due) == state.served
        assert min(min(latencies) for latencies in result.first_event_ms) > 0

    against_cheap(check)


def test_arrivals_are_a_poisson_process_of_the_rate() -> None:
    due = arrivals(100.0, 100.0, random.Random(1))
    gaps = [after - before for before, after in pairwise(due)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert due == sorted(due)
    assert 9600 < len(due) < 10_400  # 10,000 ± 4 σ
    assert 0.9 < variance / mean**2 < 1.1  # 1 for exponential gaps, 0 for a metronome


def test_the_cheap_upstream_speaks_vllms_shapes() -> None:
    async def check(target: Target, state: upstream.State) -> None:
        host, _, port = target.address.partition(":")

        def get(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
            connection = HTTPConnection(host, int(port), timeout=5.0)
            connection.request(method, path, body)
            response = connection.getresponse()
            answer = response.status, response.read()
            connection.close()
            return answer

        status, models = await asyncio.to_thread(get, "GET", "/v1/models")
        assert (200, upstream.MODEL) == (status, json.loads(models)["data"][0]["id"])
        status, metrics = await asyncio.to_thread(get, "GET", "/metrics")
        assert 200 == status
        assert 'vllm:num_requests_running{engine="0",model_name="cheap"} 0.0' in metrics.decode().splitlines()
        status, chat = await asyncio.to_thread(get, "POST", "/v1/chat/completions", b'{"max_tokens":7,"messages":[]}')
        answer = json.loads(chat)
        assert (200, "chat.completion", 7) == (status, answer["object"], answer["usage"]["completion_tokens"])
        status, stream = await asyncio.to_thread(get, "POST", "/v1/chat/completions", b'{"max_tokens":2,"stream":true}')
        events = [event.removeprefix("data: ") for event in stream.decode().split("\n\n")[:-1]]
        assert (200, "[DONE]") == (status, events[-1])
        chunks = [json.loads(event) for event in events[:-1]]
        assert 1 == len({chunk["id"] for chunk in chunks})
        assert [None, None, "length"] == [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]]
        assert ([], 52) == (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"])
        assert (200, b"") == await asyncio.to_thread(get, "GET", "/health")
        assert 404 == (await asyncio.to_thread(get, "GET", "/nowhere"))[0]
        assert 200 == (await asyncio.to_thread(get, "PUT", "/pace/0.25"))[0]
        assert 0.25 == state.interval_s

    against_cheap(check)


def test_the_cheap_upstreams_tokens_are_an_engines_to_the_router() -> None:
    """Else what is measured is a way that no real token takes."""

    async def main() -> bytes:
        state = upstream.State()
        state.interval_s = 0.0
        async with serving(lambda: Watched(state)) as (target, _):
            host, _, port = target.address.partition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(target.request(Body.SMALL, max_tokens=5, stream=True))
            answer = await reader.readuntil(b"data: [DONE]\n\n")
            writer.close()
            return answer

    stream = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", asyncio.run(main()).partition(b"\r\n\r\n")[2])
    events = stream[stream.index(b"data: ") :].replace(b"\r\n", b"")
    last, usage, done = not_ordinary(events, "chat.completion.chunk")
    assert b'"finish_reason":"length"' in last
    assert b'"usage":' in usage
    assert done == b"data: [DONE]"
