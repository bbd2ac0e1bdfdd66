"""Engines are asked what they are, once, and again when they could not say."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from router.policy.catalog import Endpoint, EndpointId
from router.protocol.engine_facts import EngineFacts
from router.upstream.directory import Directory
from router.upstream.facts import Facts, FactsSettings
from router.upstream.session import open_session
from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange, FaultServer, refusing_port
from tests.router.upstream.support import Run, pass_time, soon

VERSION = b'{"version":"0.29.0"}'
MODELS = b'{"object":"list","data":[{"id":"eyes","owned_by":"vllm","root":"org/eyes","max_model_len":8192}]}'
FACTS = EngineFacts("vllm", "0.29.0", 8_192, "org/eyes")
SETTINGS = FactsSettings(timeout_s=20.0)


async def engine(exchange: Exchange) -> None:
    bodies = {"/version": VERSION, "/v1/models": MODELS}
    await faults.whole(200, bodies[exchange.request.path])(exchange)


class World:
    def __init__(self, facts: Facts, directory: Directory) -> None:
        self.facts, self.directory = facts, directory
        self.now = 0.0

    async def one_round(self) -> None:
        async with asyncio.TaskGroup() as group:
            self.facts.start_round(group)


@asynccontextmanager
async def world(*urls: str, settings: FactsSettings = SETTINGS, **models: str) -> AsyncIterator[World]:
    directory = Directory(clock=lambda: 0.0)
    directory.replace("pool", [Endpoint(EndpointId(f"e{number}"), url) for number, url in enumerate(urls)])
    async with open_session(keepalive_s=3.0) as session:
        made = World(
            Facts(
                session=session,
                directory=directory,
                models={"pool": "eyes", **models},
                clock=lambda: made.now,
                settings=settings,
            ),
            directory,
        )
        yield made


def test_an_engine_is_asked_once_and_again_when_its_answer_has_grown_old(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(engine) as server, world(server.url) as here:
            assert () == here.facts.of("pool")
            for _ in range(3):
                await here.one_round()
            assert (FACTS,) == here.facts.of("pool")
            assert ["/version", "/v1/models"] == [each.path for each in server.requests]
            here.now = 299.0
            await here.one_round()
            assert 2 == len(server.requests)
            here.now = 301.0
            await here.one_round()
            assert 4 == len(server.requests)

    run(main())


@pytest.mark.parametrize(
    "trouble",
    [
        faults.internal_error,
        faults.shorter_than_its_length,
        faults.hang(faults.head(content_type="text/plain", content_length="9999999") + b"x" * 1_100_000),
    ],
    ids=["500", "truncated", "1 MB"],
)
def test_one_that_fails_is_asked_again_ever_more_rarely(run: Run, trouble: Behaviour) -> None:
    async def main() -> None:
        async with FaultServer(trouble, trouble, trouble, engine) as server, world(server.url) as here:
            asked = []
            for tick in range(80):
                here.now = tick / 10
                before = len(server.requests)
                await here.one_round()
                if len(server.requests) > before:
                    asked.append(here.now)
            assert [0.0, 1.0, 3.0, 7.0] == asked
            assert (FACTS,) == here.facts.of("pool")

    run(main())


def test_one_that_is_not_there_disturbs_no_other(run: Run) -> None:
    async def main() -> None:
        with refusing_port() as nowhere:
            async with FaultServer(engine) as server, world(nowhere, server.url) as here:
                await here.one_round()
                assert (FACTS,) == here.facts.of("pool")

    run(main())


def test_an_engine_without_such_routes_is_one_of_which_little_is_known(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(faults.whole(404, b"{}")) as server, world(server.url) as here:
            await here.one_round()
            assert (EngineFacts(),) == here.facts.of("pool")

    run(main())


def test_what_an_engine_does_not_serve_is_told_once(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with FaultServer(engine) as server, world(server.url, law="eyes-law") as here:
            here.directory.replace("law", here.directory.endpoints("pool"))
            for now in (0.0, 400.0):
                here.now = now
                await here.one_round()
            assert ([True], [False]) == (
                [each.serves for each in here.facts.of("pool")],
                [each.serves for each in here.facts.of("law")],
            )

    with caplog.at_level(logging.WARNING):
        run(main())
    assert ["e0 of pool law does not serve 'eyes-law', which it is asked for"] == caplog.messages


def test_one_that_has_left_is_forgotten(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(engine) as server, world(server.url) as here:
            await here.one_round()
            (endpoint,) = here.directory.endpoints("pool")
            here.directory.replace("pool", [])
            assert () == here.facts.of("pool")
            here.directory.replace("pool", [endpoint])
            assert () == here.facts.of("pool")
            await here.one_round()
            assert (FACTS,) == here.facts.of("pool")

    run(main())


def test_one_that_hangs_is_given_up(run_in_time: Run) -> None:
    async def main() -> None:
        settings = FactsSettings(timeout_s=2.0)
        async with FaultServer(faults.silent, engine) as server, world(server.url, settings=settings) as here:
            async with asyncio.TaskGroup() as group:
                here.facts.start_round(group)
                here.facts.start_round(group)
                await soon(server.asked.wait())
                await pass_time(2.1)
            assert (1, ()) == (len(server.requests), here.facts.of("pool"))
            here.now = 1.0
            await here.one_round()
            assert (FACTS,) == here.facts.of("pool")

    run_in_time(main())


def test_it_runs_until_it_is_cancelled(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(engine) as server, world(server.url) as here:
            task = asyncio.create_task(here.facts.run())
            await soon(server.asked.wait())
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())


@pytest.mark.parametrize(
    ("field", "value"), [("timeout_s", 0.0), ("backoff_s", -1.0), ("refresh_s", 0.0), ("backoff_max_s", 0.5)]
)
def test_a_setting_out_of_range_is_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        FactsSettings(**{field: value})


def test_other_pools_are_asked_when_the_configuration_has_others(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(engine) as server, world(server.url) as here:
            await here.one_round()
            here.directory.replace("other", here.directory.endpoints("pool"))
            here.facts.ask_for({"pool": "eyes", "other": "eyes"})
            assert (FACTS,) == here.facts.of("pool")  # what is known of those that stay is kept
            await here.one_round()
            assert (FACTS,) == here.facts.of("other")
            assert 4 == len(server.requests)
            here.facts.ask_for({"other": "eyes"})
            assert () == here.facts.of("pool")

    run(main())
