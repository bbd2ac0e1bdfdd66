"""A real router that finds its engines by an API server: pods come, leave while they stream, and are waited for."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import fault_behaviours as faults
from tests.faults import FaultServer
from tests.integration.conftest import MODEL, Engine, Router, StartRouter, until
from tests.kubernetes_server import NAMESPACE, SERVICE, ApiServer, leaving, pod, slice_of

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello?"}]}


def slice_for(name: str, engine: FaultServer, *, leaves: bool = False) -> Any:
    """A slice of one pod; the engines differ by their ports, which is why each has a slice of its own."""
    port = urlsplit(engine.url).port
    return slice_of(f"slice-{name}", (leaving if leaves else pod)(name, "127.0.0.1"), ports=(("http", port),))


def in_pods(server: ApiServer, **more: Any) -> dict[str, Any]:
    found = {"kind": "kubernetes", "service": SERVICE, "namespace": NAMESPACE, "api": server.url, "port": "http"}
    return {"discovery": {**found, "watch": {"backoff_s": 0.01, "backoff_max_s": 0.05}, **more}}


async def has_endpoints(router: Router, count: int) -> None:
    async def are_there() -> bool:
        return await router.metric("tramontane_endpoint_up") == count

    await until(are_there)


def test_a_pod_that_leaves_ends_its_streams_and_gets_no_more_of_them(router: StartRouter) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        behaviours = (faults.slow_stream(faults.STREAM, go), faults.good_answer)
        async with ApiServer().open() as server, Engine(*behaviours) as first, Engine(faults.good_answer) as second:
            server.put(slice_for("e1", first))
            async with router(pool=in_pods(server)) as r:
                await has_endpoints(r, 1)
                body = json.dumps({"model": MODEL, "stream": True, **HELLO})
                asked = asyncio.create_task(r.session.post(r.url + "/api/v1/chat/completions", data=body))
                go.put_nowait(None)
                response = await asked
                server.put(slice_for("e2", second))
                await has_endpoints(r, 2)
                server.put(slice_for("e1", first, leaves=True))
                await has_endpoints(r, 1)
                for _ in range(10):
                    status, answer = await r.ask(HELLO)
                    assert (200, "Hello") == (status, answer["choices"][0]["message"]["content"])
                assert (1, 10) == (len(first.requests), len(second.requests))
                for _ in faults.STREAM:
                    go.put_nowait(None)
                text = (await response.read()).decode()
                response.close()
                assert text.rstrip().endswith("data: [DONE]")
                assert '"error"' not in text
                server.delete("slice-e1")
                server.put(slice_for("e1", first))  # and it is back, by the same name
                await has_endpoints(r, 2)

    asyncio.run(main())


def test_while_the_api_server_is_away_requests_are_answered_and_changes_are_learnt_after(router: StartRouter) -> None:
    async def main() -> None:
        async with (
            ApiServer().open() as server,
            Engine(faults.good_answer) as first,
            Engine(faults.good_answer) as second,
        ):
            server.put(slice_for("e1", first))
            async with router(pool=in_pods(server)) as r:
                await has_endpoints(r, 1)
                server.instead = [faults.reset_before_head] * 12
                server.lost = 2
                server.put(slice_for("e1", first, leaves=True), slice_for("e2", second))
                server.forget()
                server.end_watches(faults.reset_before_head)
                assert 200 == (await r.ask(HELLO))[0]

                async def has_moved() -> bool:
                    assert 200 == (await r.ask(HELLO))[0]
                    return bool(second.requests)

                await until(has_moved)
                assert 0 == len(server.instead)

    asyncio.run(main())


def test_a_request_that_finds_no_pod_waits_for_one(router: StartRouter) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, Engine(faults.good_answer) as engine:
            server.put(slice_for("e1", engine))
            async with router(pool=in_pods(server), waiting={"room_s": 120}) as r:
                server.delete("slice-e1")
                await has_endpoints(r, 0)
                asked = asyncio.create_task(r.ask(HELLO))
                assert 200 == (await r.get("/healthz"))[0]  # it is asked after the request
                assert not asked.done()
                server.put(slice_for("e1", engine))
                assert 200 == (await asked)[0]

    asyncio.run(main())


def test_a_router_whose_token_is_refused_says_so_and_goes_on(
    router: StartRouter, capfd: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, Engine(faults.good_answer) as engine:
            server.token = "canary"
            server.put(slice_for("e1", engine))
            async with router(pool=in_pods(server, token={"value": "canary"})) as r:
                server.token = "another"
                before = len(server.http.requests)
                server.end_watches()

                async def has_been_refused() -> bool:
                    return len(server.http.requests) > before + 1

                await until(has_been_refused)
                assert 200 == (await r.ask(HELLO))[0]

    asyncio.run(main())
    told = capfd.readouterr().err
    assert "pool local: the API server refused the token (HTTP 401: 'Unauthorized'); keeping the 1 endpoints" in told
    assert "canary" not in told
