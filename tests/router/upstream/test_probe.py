"""Engines' own figures, read from their metrics page."""

import asyncio

import pytest

from router.policy.catalog import Endpoint, EndpointId
from router.protocol.engine_metrics import EngineMetrics
from router.upstream.directory import Directory
from router.upstream.probe import Prober
from router.upstream.session import open_session
from tests import fault_behaviours as faults
from tests.faults import Behaviour, FaultServer, refusing_port
from tests.router.upstream.support import Run, pass_time, soon

PAGE = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
"""
FIGURES = EngineMetrics(running=3, waiting=2, kv_usage=0.25)
good = faults.whole(200, PAGE, "text/plain; version=0.0.4")


def endpoint(server_url: str, name: str = "e") -> Endpoint:
    return Endpoint(EndpointId(name), server_url)


def directory_of(*endpoints: Endpoint) -> Directory:
    directory = Directory(clock=lambda: 0.0)
    directory.replace("p", endpoints)
    return directory


async def one_round(directory: Directory) -> None:
    async with open_session(keepalive_s=3.0) as session, asyncio.TaskGroup() as group:
        Prober(session=session, directory=directory, timeout_s=20.0).start_round(group)


def test_what_an_engine_says_is_in_the_directory(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(good) as server:
            directory = directory_of(endpoint(server.url))
            await one_round(directory)
            assert FIGURES == directory.metrics(endpoint(server.url))
            assert [("GET", "/metrics")] == [(each.method, each.path) for each in server.requests]

    run(main())


@pytest.mark.parametrize(
    "trouble",
    [
        faults.internal_error,
        faults.closed_before_head,
        faults.shorter_than_its_length,
        faults.garbage,
        faults.hang(faults.head(content_type="text/plain", content_length="9999999") + b"x" * 4_200_000),
    ],
    ids=["500", "closed", "truncated", "garbage", "4 MB"],
)
def test_a_probe_that_fails_writes_nothing_and_disturbs_no_other(run: Run, trouble: Behaviour) -> None:
    async def main() -> None:
        with refusing_port() as nowhere:
            async with FaultServer(trouble) as bad, FaultServer(good) as fine:
                directory = directory_of(
                    endpoint(bad.url, "bad"), endpoint(nowhere, "gone"), endpoint(fine.url, "fine")
                )
                await one_round(directory)
                figures = [directory.metrics(each) for each in directory.all()]
        assert [None, None, FIGURES] == figures

    run(main())


def test_an_engine_that_hangs_is_asked_once_at_a_time_while_others_are_asked_on(run: Run) -> None:
    async def main() -> None:
        rounds = 0
        enough = asyncio.Event()

        async def sleep(_: float) -> None:
            nonlocal rounds
            rounds += 1
            if rounds == 50:
                enough.set()
            await asyncio.sleep(0.002)

        async with FaultServer(faults.silent) as hung, FaultServer(good) as fine:
            directory = directory_of(endpoint(hung.url, "hung"), endpoint(fine.url, "fine"))
            async with open_session(keepalive_s=3.0) as session:
                prober = Prober(session=session, directory=directory, sleep=sleep)
                task = asyncio.create_task(prober.run())
                await soon(enough.wait())
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert 1 == len(hung.requests)
            assert 5 < len(fine.requests)

    run(main())


def test_an_engine_that_hung_is_given_up_and_asked_again(run_in_time: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.silent, good) as server:
            directory = directory_of(endpoint(server.url))
            async with open_session(keepalive_s=3.0) as session:
                prober = Prober(session=session, directory=directory, timeout_s=2.0)
                async with asyncio.TaskGroup() as group:
                    prober.start_round(group)
                    await soon(server.asked.wait())
                    await pass_time(2.1)
                assert directory.metrics(endpoint(server.url)) is None
                async with asyncio.TaskGroup() as group:
                    prober.start_round(group)
            assert FIGURES == directory.metrics(endpoint(server.url))

    run_in_time(main())


def test_who_is_not_ours_is_not_asked(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(good) as ours, FaultServer(good) as theirs:
            directory = directory_of(endpoint(ours.url), endpoint(theirs.url, "theirs"))
            async with open_session(keepalive_s=3.0) as session, asyncio.TaskGroup() as group:
                asked = [endpoint(ours.url)]
                Prober(session=session, directory=directory, endpoints=lambda: asked).start_round(group)
            assert (1, 0) == (len(ours.requests), len(theirs.requests))

    run(main())
