"""Real routers in front of simulated engines: what a choice is made by, seen from outside."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.integration.conftest import MODEL, Router, StartRouter, until
from tests.router.protocol.pictures import png

SETTINGS = SimulatorSettings(model="m", gpu="h100", time_scale=0.2)
SYSTEM = "You are a patient teacher who explains everything from the beginning. " * 60  # 4 kB
LONG = "Once upon a time there was a very long story without an end. " * 1_500  # 90 kB, a second of an H100
PICTURE = "data:image/png;base64," + base64.b64encode(png(1024, 1024)).decode()
FORECAST = {"routing": {"forecast": {"prefill_tokens_per_s": 80_000, "overhead_s": 0.01}}}


def question(text: str, **more: Any) -> dict[str, Any]:
    return {
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
        "max_tokens": 4,
        **more,
    }


async def ask(router: Router, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    """Status and body of an answer that tells how it was routed."""
    data = json.dumps({"model": MODEL, **body})
    headers = {"X-OpenRouter-Metadata": "enabled", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with router.session.post(router.url + "/api/v1/chat/completions", data=data, headers=headers) as response:
        return response.status, json.loads(await response.read())


def chosen(answer: Any) -> dict[str, Any]:
    """The endpoint that the last attempt went to, as it was seen when it was chosen."""
    return dict(next(each for each in answer["openrouter_metadata"]["routing"][-1]["candidates"] if each["selected"]))


def test_a_conversation_goes_on_where_its_beginning_is_cached(router: StartRouter) -> None:
    async def main() -> None:
        async with routed(router, 4) as r:
            _, first = await ask(r, question("What is a prime number?"))
            _, second = await ask(r, question("And what is a square?"))
        assert 0 == chosen(first)["cached_tokens"]
        assert chosen(first)["endpoint"] == chosen(second)["endpoint"]
        assert chosen(second)["cached_tokens"] > 800
        assert second["usage"]["prompt_tokens_details"]["cached_tokens"] > 800
        assert "longest part of the prompt" in second["openrouter_metadata"]["routing"][0]["reason"]

    asyncio.run(main())


def test_a_repeated_picture_is_recognised(router: StartRouter) -> None:
    async def main() -> None:
        async with routed(router, 4) as r:
            answers = []
            for text in ("What is this?", "And which colour has it?"):
                parts = [{"type": "image_url", "image_url": {"url": PICTURE}}, {"type": "text", "text": text}]
                body = {"messages": [{"role": "user", "content": parts}], "max_tokens": 4}
                answers.append((await ask(r, body))[1])
        assert chosen(answers[0])["endpoint"] == chosen(answers[1])["endpoint"]
        assert chosen(answers[1])["cached_tokens"] > 1_000

    asyncio.run(main())


@asynccontextmanager
async def routed(router: StartRouter, engines: int, **configuration: Any) -> AsyncIterator[Router]:
    """A router in front of so many engines."""
    async with fleet(SETTINGS, engines, Place()) as behind:
        listeners = [each.listener for each in behind.replicas]
        async with router(*listeners, **FORECAST, **configuration) as running:
            yield running


async def busy(router: Router, streams: int) -> list[asyncio.Task[Any]]:
    """Long prompts on their way to every engine."""
    tasks = []
    for number in range(streams):
        body = {"messages": [{"role": "user", "content": f"{number} {LONG}"}], "max_tokens": 4, "stream": True}
        tasks.append(
            asyncio.create_task(
                router.session.post(router.url + "/api/v1/chat/completions", data=json.dumps({"model": MODEL, **body}))
            )
        )

    async def is_there() -> bool:
        return await router.metric("tramontane_endpoint_streams{") >= streams

    await until(is_there)
    return tasks


async def finish(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        (await task).release()


def test_what_cannot_be_begun_in_time_is_refused_before_any_engine_hears_of_it(router: StartRouter) -> None:
    async def main() -> None:
        async with routed(router, 2) as r:
            tasks = await busy(r, 8)
            sent = await r.metric("tramontane_attempts_total")
            status, answer = await ask(r, question("Quick!"), X_Request_Timeout="0.05")
            assert (503, "deadline") == (status, answer["error"]["metadata"]["reason"])
            assert answer["error"]["metadata"]["retry_after"] > 0
            assert [] == answer["openrouter_metadata"]["routing"]
            assert 1 == await r.metric('tramontane_unsent_total{model="m/eyes",reason="deadline"}')
            assert sent == await r.metric("tramontane_attempts_total")
            await finish(tasks)

    asyncio.run(main())


def test_when_all_are_saturated_requests_wait_in_the_router_and_are_answered(router: StartRouter) -> None:
    async def main() -> None:
        async with routed(router, 2, admission={"saturated_s": 0.05}) as r:
            asking = [asyncio.create_task(ask(r, question(f"Question {n}" + LONG[:40_000]))) for n in range(12)]

            async def waits() -> bool:
                return await r.metric("tramontane_queue_length{") > 0

            await until(waits)
            assert {200} == {status for status, _ in [await each for each in asking]}
            assert 0 == await r.metric("tramontane_queue_length{")
            assert await r.metric("tramontane_queue_wait_seconds_count") > 0
            assert 0 == await r.metric("tramontane_endpoint_queued_tokens{")

    asyncio.run(main())


def two_ports() -> tuple[int, int]:
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def test_what_one_router_sent_the_other_knows(router: StartRouter) -> None:
    async def main() -> None:
        ports = two_ports()
        peers = [f"127.0.0.1:{port}" for port in ports]

        def mesh(port: int) -> dict[str, Any]:
            gossip = {"listen": f"127.0.0.1:{port}", "peers": peers}
            return {"secret": {"value": "a secret of the mesh"}, "gossip": gossip}

        async with fleet(SETTINGS, 4, Place()) as engines:
            listeners = [each.listener for each in engines.replicas]
            async with (
                router(*listeners, mesh=mesh(ports[0]), **FORECAST) as a,
                router(*listeners, mesh=mesh(ports[1]), **FORECAST) as b,
            ):

                async def is_whole() -> bool:
                    return [2, 2] == [await each.metric("tramontane_mesh_routers ") for each in (a, b)]

                await until(is_whole)
                _, first = await ask(a, question("What is a prime number?"))

                async def has_heard() -> bool:  # all of it, which may come in several pieces, and that it is over
                    known, sent = [await each.metric("tramontane_prefix_index_blocks ") for each in (b, a)]
                    return known == sent > 0 == await b.metric("tramontane_endpoint_all_streams{")

                await until(has_heard)
                _, second = await ask(b, question("And what is a square?"))
                assert chosen(first)["endpoint"] == chosen(second)["endpoint"]
                assert chosen(second)["cached_tokens"] > 800

                tasks = await busy(a, 4)

                async def sees_load() -> bool:
                    return await b.metric("tramontane_endpoint_all_streams{") >= 4

                await until(sees_load)
                assert 0 == await b.metric("tramontane_endpoint_streams{")
                await finish(tasks)

    asyncio.run(main())


def test_who_is_alone_again_says_so_and_goes_on(router: StartRouter) -> None:
    async def main() -> None:
        ports = two_ports()
        peers = [f"127.0.0.1:{port}" for port in ports]
        secret = {"value": "a secret of the mesh"}
        async with fleet(SETTINGS, 2, Place()) as engines:
            listeners = [each.listener for each in engines.replicas]
            mesh = {"secret": secret, "gossip": {"listen": peers[0], "peers": peers}}
            async with router(*listeners, mesh=mesh, **FORECAST) as a:
                other = {"secret": secret, "gossip": {"listen": peers[1], "peers": peers}}
                async with router(*listeners, mesh=other, **FORECAST):

                    async def is_heard() -> bool:
                        return await a.metric("tramontane_mesh_routers ") == 2

                    await until(is_heard)

                async def is_alone() -> bool:
                    return await a.metric("tramontane_mesh_alone ") == 1

                await until(is_alone)
                assert 200 == (await ask(a, question("Anybody there?")))[0]

    asyncio.run(main())
