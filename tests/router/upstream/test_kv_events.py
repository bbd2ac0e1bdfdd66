"""The events of engines over real sockets: found, followed, lost and found again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from router.policy.catalog import Endpoint, EndpointId
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.protocol.chain import Chain
from router.protocol.vocabulary import Vocabulary
from router.upstream.directory import Directory
from router.upstream.kv_event_settings import KVEventsSettings
from router.upstream.kv_events import KVEvents
from router.upstream.session import open_session
from tests import fault_behaviours as faults
from tests.faults import Behaviour, FaultServer, refusing_port
from tests.router.upstream.publisher import CLEARED, Publisher, publishing, removed, stored
from tests.router.upstream.support import Run, soon

A, B, C, D = 1, 2, 3, 4  # tokens, each a block of the router long
VOCABULARY = Vocabulary(["[IMG_END]"], [bytes([each]) * 256 for each in (A, B, C, D)])
AB = stored([1], [A, B])
CD = stored([2], [C, D], parent=1)
ID = EndpointId("e")


def depth(index: PrefixIndex, *tokens: int, endpoint_id: EndpointId = ID) -> int:
    chain = Chain()
    chain.text(VOCABULARY.bytes_of(tokens))
    return index.depths(chain.hashes).get(endpoint_id, 0)


async def until(found: Callable[[], bool]) -> None:
    """Nothing tells when a message has gone through two sockets, so look again and again."""

    async def look() -> None:
        for _ in iter(found, True):
            await asyncio.sleep(0.002)

    await soon(look())


class Watch:
    """A running KVEvents with its directory and index. `sleeps` are the pauses it made; none takes long."""

    def __init__(self) -> None:
        self.directory = Directory(clock=lambda: 0.0)
        self.index = PrefixIndex(PrefixSettings())
        self.sleeps: list[float] = []
        self.vocabulary: Vocabulary | None = VOCABULARY

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(0.005)

    def put(self, *urls: str) -> None:
        names = ["e", "f"]
        self.directory.replace("p", [Endpoint(EndpointId(n), url) for n, url in zip(names, urls, strict=False)])

    @asynccontextmanager
    async def running(self, settings: KVEventsSettings | None = None) -> AsyncIterator[KVEvents]:
        async with open_session(keepalive_s=3.0) as session:
            self.events = KVEvents(
                session=session,
                directory=self.directory,
                index=self.index,
                vocabulary=lambda endpoint: self.vocabulary,
                settings=settings or KVEventsSettings(timeout_s=15.0),
                sleep=self.sleep,
            )
            self.directory.on_removed(self.events.forget)
            self.directory.on_removed(self.index.forget)
            task = asyncio.create_task(self.events.run())
            try:
                yield self.events
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def is_exact(self, name: str = "e") -> bool:
        return any(follower.is_exact for each, follower in self.events.followers() if each == name)


def telling(publisher: Publisher) -> Behaviour:
    """The engine's HTTP side."""
    return faults.whole(200, publisher.sources())


def test_what_an_engine_held_before_and_what_it_stores_then_is_in_the_index(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with publishing() as engine, FaultServer(telling(engine)) as http:
            await engine.publish(AB)
            watch.put(http.url)
            async with watch.running():
                await until(lambda: depth(watch.index, A, B, C, D) == 2)
                await soon(engine.subscribed.wait())
                await engine.publish(CD)
                await until(lambda: depth(watch.index, A, B, C, D) == 4)
                await engine.publish(removed(2))
                await until(lambda: depth(watch.index, A, B, C, D) == 2)
                await engine.publish(CLEARED)
                await until(lambda: depth(watch.index, A, B, C, D) == 0)
                assert [("GET", "/kv_event_sources")] == [(each.method, each.path) for each in http.requests]
                assert [0] == engine.replays

    run(main())


def test_what_was_lost_on_the_way_is_asked_for(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with publishing() as engine, FaultServer(telling(engine)) as http:
            watch.put(http.url)
            async with watch.running():
                await soon(engine.subscribed.wait())
                await until(watch.is_exact)
                engine.add(AB)  # never sent
                await engine.publish(CD)
                await until(lambda: depth(watch.index, A, B, C, D) == 4)

    run(main())


def test_garbage_disturbs_nobody(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with publishing() as engine, FaultServer(telling(engine)) as http:
            watch.put(http.url)
            async with watch.running():
                await soon(engine.subscribed.wait())
                await until(watch.is_exact)
                for frames in ([b""], [b"", b"7", b"x"], [b"", b"12345678", b"x"]):
                    await engine.send_raw(frames)
                await engine.publish(batch=b"\xc1")
                await engine.publish(CLEARED, AB)
                await until(lambda: depth(watch.index, A, B) == 2)
                ((_, follower),) = watch.events.followers()
                assert 1 == follower.lost_total

    run(main())


def test_an_engine_that_starts_anew_is_read_anew_at_its_new_ports(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with publishing() as old, publishing() as new:
            await old.publish(AB)
            async with FaultServer(telling(old), telling(new)) as http:
                watch.put(http.url)
                async with watch.running():
                    await until(lambda: depth(watch.index, A, B) == 2)
                    await new.publish(stored([1], [C, D]))
                    await old.close()
                    await until(lambda: depth(watch.index, C, D) == 2)
                    assert 0 == depth(watch.index, A, B)
                    assert 5.0 in watch.sleeps
                    old.open()  # for its closing

    run(main())


def test_the_same_engine_behind_a_broken_connection_is_known_again(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with publishing() as engine, FaultServer(telling(engine)) as http:
            await engine.publish(AB)
            watch.put(http.url)
            async with watch.running():
                await until(lambda: depth(watch.index, A, B) == 2)
                await engine.close()
                await until(lambda: not watch.is_exact())
                assert 2 == depth(watch.index, A, B)
                engine.add(CD)
                engine.open(engine.endpoint, engine.replay_endpoint)
                await until(lambda: depth(watch.index, A, B, C, D) == 4)
                assert watch.is_exact()

    run(main())


def test_an_endpoint_that_leaves_is_forgotten_and_the_others_stay(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with (
            publishing() as first,
            publishing() as second,
            FaultServer(telling(first)) as one,
            FaultServer(telling(second)) as two,
        ):
            await first.publish(AB)
            await second.publish(AB)
            watch.put(one.url, two.url)
            async with watch.running():
                await until(
                    lambda: depth(watch.index, A, B) == 2 == depth(watch.index, A, B, endpoint_id=EndpointId("f"))
                )
                watch.put(one.url)
                assert 0 == depth(watch.index, A, B, endpoint_id=EndpointId("f"))
                await until(lambda: [ID] == [name for name, _ in watch.events.followers()])
                await first.publish(CD)
                await until(lambda: depth(watch.index, A, B, C, D) == 4)

    run(main())


def test_an_endpoint_with_another_address_is_followed_there(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with (
            publishing() as first,
            publishing() as second,
            FaultServer(telling(first)) as one,
            FaultServer(telling(second)) as two,
        ):
            await first.publish(AB)
            await second.publish(stored([1], [C, D]))
            watch.put(one.url)
            async with watch.running():
                await until(lambda: depth(watch.index, A, B) == 2)
                watch.put(two.url)
                await until(lambda: depth(watch.index, C, D) == 2)
                assert 0 == depth(watch.index, A, B)

    run(main())


@pytest.mark.parametrize("answer", [faults.whole(404, b"{}"), faults.whole(200, b"[]")], ids=["no route", "off"])
def test_an_engine_without_events_is_asked_again_rarely(run: Run, answer: Behaviour) -> None:
    async def main() -> None:
        watch = Watch()
        async with FaultServer(answer) as http:
            watch.put(http.url)
            watch.index.add(ID, [1])
            async with watch.running():
                await until(lambda: len(http.requests) > 2)
                assert {1.0, 60.0} == set(watch.sleeps)
                assert {ID: 1} == watch.index.depths([1])

    run(main())


def source(**changes: object) -> bytes:
    entry = {"endpoint": "tcp://127.0.0.1:1", "replay_endpoint": "tcp://127.0.0.1:1", "topic": "", **changes}
    return msgspec.json.encode([entry])


@pytest.mark.parametrize(
    "answer",
    [
        faults.internal_error,
        faults.garbage,
        faults.closed_before_head,
        faults.whole(200, b"{}"),
        faults.whole(200, b"[" + b" " * 70_000 + b"]"),
        faults.whole(200, source()[:-1] + b"," + source()[1:]),
        faults.whole(200, source(replay_endpoint=None)),
        faults.whole(200, source(endpoint="ipc:///tmp/x")),
        faults.whole(200, source(endpoint="tcp://nowhere")),
        faults.whole(200, source(endpoint="tcp://host:99999")),
    ],
    ids=["500", "garbage", "closed", "no list", "70 kB", "two engines", "no replay", "ipc", "no port", "no such port"],
)
def test_an_answer_that_makes_no_sense_is_logged_once_and_asked_for_again(
    run: Run, answer: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        watch = Watch()
        async with FaultServer(answer) as http:
            watch.put(http.url)
            async with watch.running():
                await until(lambda: len(http.requests) > 2)
                assert {1.0, 5.0} == set(watch.sleeps)

    with caplog.at_level(logging.WARNING):
        run(main())
    assert 1 == sum("KV-cache events are not followed" in each.message for each in caplog.records)


def test_nobody_at_the_publishers_address_and_nobody_at_all_are_troubles_too(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        with refusing_port() as nowhere:
            address = nowhere.replace("http", "tcp")
            answer = faults.whole(200, source(endpoint=address, replay_endpoint=address))
            async with FaultServer(answer) as http:
                watch.put(http.url, nowhere)
                async with watch.running(KVEventsSettings(timeout_s=0.05)):
                    await until(lambda: watch.sleeps.count(5.0) > 3)
                    assert not watch.is_exact()

    run(main())


class Refusal(asyncio.Protocol):
    """Another server's answer to ZeroMQ's greeting."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def test_what_is_no_publisher_is_left(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        watch = Watch()
        server = await asyncio.get_running_loop().create_server(Refusal, "127.0.0.1", 0)
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with FaultServer(faults.whole(200, source(endpoint=address, replay_endpoint=address))) as http:
            watch.put(http.url)
            async with watch.running():
                await until(lambda: watch.sleeps.count(5.0) > 1)
        server.close()
        await server.wait_closed()

    run(main())
    assert "is no publisher" in caplog.text


def test_a_replay_that_never_answers_is_a_trouble(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with publishing() as engine, FaultServer(telling(engine)) as http:
            engine.is_deaf = True
            watch.put(http.url)
            async with watch.running(KVEventsSettings(timeout_s=0.2)):
                await until(lambda: watch.sleeps.count(5.0) > 1)
                engine.is_deaf = False
                await until(watch.is_exact)

    run(main())


def test_an_engine_that_listens_everywhere_is_reached_where_its_http_is(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        async with publishing() as engine:
            await engine.publish(AB)
            everywhere = engine.sources().replace(b"127.0.0.1", b"*")
            async with FaultServer(faults.whole(200, everywhere)) as http:
                watch.put(http.url)
                async with watch.running():
                    await until(lambda: depth(watch.index, A, B) == 2)

    run(main())


def test_an_endpoint_whose_vocabulary_is_not_known_is_left_alone(run: Run) -> None:
    async def main() -> None:
        watch = Watch()
        watch.vocabulary = None
        async with publishing() as engine, FaultServer(telling(engine)) as http:
            watch.put(http.url)
            async with watch.running():
                await until(lambda: len(watch.sleeps) > 5)
                assert [] == http.requests

    run(main())


@pytest.mark.parametrize("name", ["timeout_s", "retry_s", "absent_s", "quiet_s", "max_blocks", "queue"])
def test_settings_out_of_range_are_refused_by_name(name: str) -> None:
    settings: Any = KVEventsSettings
    with pytest.raises(ValueError, match=f"^{name} must be"):
        settings(**{name: 0})
