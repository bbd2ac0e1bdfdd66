"""An application that has scaled to zero is asked for, once at a time."""

import asyncio
from urllib.parse import urlsplit

import pytest

from router.upstream.directory import Directory
from router.upstream.ray_discovery import RayDiscovery
from router.upstream.ray_targets import read_targets
from router.upstream.ray_waker import RayWaker
from router.upstream.session import open_session
from tests import fault_behaviours as faults
from tests.faults import FaultServer, refusing_port
from tests.router.upstream.ray_documents import (
    APPLICATION,
    PROXY,
    application,
    document,
    group,
    replica,
    running,
    target,
)
from tests.router.upstream.support import Run, soon


def test_the_proxy_is_asked_for_the_health_of_the_application_once_however_many_wait(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.hang()) as server, open_session(keepalive_s=3.0) as session:
            waker = RayWaker(session, "pool")
            for _ in range(5):
                waker.wake(server.url)
                await soon(_asked(server, 1))
            assert [("GET", "/health")] == [(each.method, each.path) for each in server.requests]
            await waker.close()

    run(main())


def test_it_is_asked_again_when_the_answer_came_and_somebody_still_waits(run: Run) -> None:
    async def main() -> None:
        answers = [faults.whole(200, b"{}"), faults.internal_error, faults.hang()]
        async with FaultServer(*answers) as server, open_session(keepalive_s=3.0) as session:
            waker = RayWaker(session, "pool")
            for number in (1, 2, 3):
                await soon(_wakes(waker, server, number))
            await waker.close()
            assert 3 == len(server.requests)

    run(main())


def test_a_proxy_that_is_gone_is_nobodys_error(run: Run) -> None:
    async def main() -> None:
        with refusing_port() as url:
            async with open_session(keepalive_s=3.0) as session:
                waker = RayWaker(session, "pool")
                waker.wake(url)
                await asyncio.sleep(0)
                await waker.close()
                await RayWaker(session, "pool").close()  # one that never asked has nothing to give back

    run(main())


async def _told(polled: asyncio.Queue[None]) -> None:
    polled.put_nowait(None)
    await asyncio.get_running_loop().create_future()


async def _asked(server: FaultServer, times: int) -> None:
    while len(server.requests) < times:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def _wakes(waker: RayWaker, server: FaultServer, number: int) -> None:
    while len(server.requests) < number:
        waker.wake(server.url)
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(("waiting", "asked"), [(True, ["/mistral/health"]), (False, [])])
def test_ray_is_asked_for_a_replica_of_an_empty_application_only_when_somebody_waits(
    run: Run, waiting: bool, asked: list[str]
) -> None:
    async def main() -> None:
        async with FaultServer(faults.hang()) as proxy:
            parts = urlsplit(proxy.url)
            door = {**PROXY, "ip": parts.hostname, "port": parts.port}
            empty = document({APPLICATION: application([])}, [{**group([door]), "route_prefix": "/mistral"}])
            async with FaultServer(*[faults.whole(200, empty)] * 2) as ray, open_session(keepalive_s=3.0) as session:
                polled = asyncio.Queue[None]()
                found = RayDiscovery(
                    directory=Directory(clock=lambda: 0.0),
                    pool_name="pool",
                    dashboard=ray.url,
                    application=APPLICATION,
                    waker=RayWaker(session, "pool"),
                    is_wanted=lambda: waiting,
                    sleep=lambda _: _told(polled),
                )
                await found.poll()
                if waiting:
                    await soon(_asked(proxy, 1))
                following = asyncio.create_task(found.run())
                await soon(polled.get())
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                assert asked == [each.path for each in proxy.requests]

    run(main())


def test_a_replica_needs_no_waking() -> None:
    assert read_targets(running("a"), APPLICATION).proxy is None
    assert read_targets(document({}, [group([PROXY])]), APPLICATION).proxy is None  # nor what is not deployed
    empty = document({APPLICATION: application([])}, [group([PROXY], protocol="gRPC"), group([PROXY])])
    assert "http://10.0.0.1:8000" == read_targets(empty, APPLICATION).proxy


def test_an_application_answers_below_its_prefix() -> None:
    replicas = {APPLICATION: application([replica("a")])}
    told = read_targets(document(replicas, [{**group([target("a")]), "route_prefix": "/mistral/"}]), APPLICATION)
    assert ["http://10.0.0.2:30000/mistral"] == [each.url for each in told.endpoints]
