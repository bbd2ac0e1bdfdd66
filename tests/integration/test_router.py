"""The router as a process: what clients see over real sockets."""

import asyncio
import json
import signal
from typing import Any

import aiohttp
import pytest

from tests import fault_behaviours as faults
from tests.integration.conftest import MODEL, Engine, StartRouter, until

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello?"}]}


async def stream_of(response: aiohttp.ClientResponse) -> list[Any]:
    """The data of all events; comments are left out."""
    text = (await response.read()).decode()
    lines = [line[6:] for line in text.split("\n\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_both_bases_answer_in_openrouters_shape(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:
            for base in ("/api/v1", "/v1"):
                status, answer = await r.ask(HELLO, f"{base}/chat/completions")
                assert (status, answer["choices"][0]["message"]["content"]) == (200, "Hello")
                assert answer["id"].startswith("gen-")
                assert answer["provider"] == "local"
            assert json.loads(upstream.requests[0].body)["model"] == "m"
            assert "authorization" not in upstream.requests[0].headers

    asyncio.run(main())


def test_a_stream_comes_with_its_headers_and_ends_with_usage(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_stream) as upstream, router(upstream) as r:
            body = json.dumps({"model": MODEL, "stream": True, **HELLO})
            async with r.session.post(r.url + "/api/v1/chat/completions", data=body) as response:
                assert response.headers["Content-Type"] == "text/event-stream"
                events = await stream_of(response)
                assert response.headers["X-Generation-Id"] == events[0]["id"]
            assert events[-1] == "[DONE]"
            assert events[-2]["usage"]["total_tokens"] == 10
            assert "".join(event["choices"][0]["delta"]["content"] for event in events[:-1]) == "Hello"

    asyncio.run(main())


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.internal_error, id="500"),
        pytest.param(faults.overloaded, id="503"),
        pytest.param(faults.html, id="html"),
        pytest.param(faults.garbage, id="garbage"),
        pytest.param(faults.reset_before_head, id="reset"),
        pytest.param(faults.closed_before_head, id="closed"),
        pytest.param(faults.shorter_than_its_length, id="truncated"),
    ],
)
def test_a_broken_endpoint_is_invisible_to_the_caller(router: StartRouter, fault: Any) -> None:
    async def main() -> None:
        async with Engine(fault) as broken, Engine(faults.good_answer) as good, router(broken, good) as r:
            for _ in range(8):
                status, answer = await r.ask(HELLO)
                assert (status, answer["choices"][0]["message"]["content"]) == (200, "Hello")
            assert len(good.requests) == 8

    asyncio.run(main())


def test_a_stream_that_breaks_ends_with_an_error_event(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.truncated_stream) as upstream, router(upstream) as r:
            body = json.dumps({"model": MODEL, "stream": True, **HELLO})
            async with r.session.post(r.url + "/api/v1/chat/completions", data=body) as response:
                events = await stream_of(response)
            assert response.status == 200
            assert events[-2]["error"]["code"] == 502
            assert events[-2]["error"]["metadata"]["error_type"] == "provider_unavailable"

    asyncio.run(main())


def test_first_token_and_idle_clocks_answer_for_a_hung_engine(router: StartRouter) -> None:
    async def main() -> None:
        clocks = {"deadlines": {"first_token_s": 0.2, "idle_s": 0.2}}
        async with Engine(faults.silent) as silent, router(silent, **clocks) as r:
            status, answer = await r.ask({**HELLO, "stream": True})
            assert (status, answer["error"]["metadata"]["error_type"]) == (504, "timeout")
            await asyncio.wait_for(silent.client_gone.wait(), 5)
        async with Engine(faults.stalled_stream_with_comments) as stalled, router(stalled, **clocks) as r:
            body = json.dumps({"model": MODEL, "stream": True, **HELLO})
            async with r.session.post(r.url + "/api/v1/chat/completions", data=body) as response:
                events = await stream_of(response)
            assert events[-2]["error"]["code"] == 504
            await asyncio.wait_for(stalled.client_gone.wait(), 5)

    asyncio.run(main())


def test_back_pressure_is_passed_on_with_its_time(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.overloaded) as upstream, router(upstream) as r:
            async with r.session.post(
                r.url + "/v1/chat/completions", data=json.dumps({"model": MODEL, **HELLO})
            ) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "2")
            status, _ = await r.ask(HELLO)
            assert status == 503
            assert len(upstream.requests) == 1  # the second was not sent: the engine asked for a pause

    asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_when_the_client_leaves_the_engine_is_left_at_once(router: StartRouter, stream: bool) -> None:
    async def main() -> None:
        behaviour = faults.stalled_stream if stream else faults.silent
        async with Engine(behaviour) as upstream, router(upstream) as r:
            body = json.dumps({"model": MODEL, "stream": stream, **HELLO})
            asking = asyncio.ensure_future(r.session.post(r.url + "/v1/chat/completions", data=body))
            if stream:
                response = await asking
                await response.content.readany()
                response.close()
            else:
                await until(lambda: has_come(upstream))
                asking.cancel()
            await asyncio.wait_for(upstream.client_gone.wait(), 5)

            async def is_given_back() -> bool:
                return await r.metric("tramontane_endpoint_streams") == 0

            await until(is_given_back)
            assert await r.metric('tramontane_attempts_total{pool="local",verdict="cancelled"}') == 1

    async def has_come(upstream: Any) -> bool:
        return bool(upstream.requests)

    asyncio.run(main())


def test_sigterm_lets_running_streams_end_and_takes_no_new_ones(router: StartRouter) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        async with Engine(faults.slow_stream(faults.STREAM, go)) as upstream, router(upstream) as r:
            go.put_nowait(None)
            body = json.dumps({"model": MODEL, "stream": True, **HELLO})
            async with r.session.post(r.url + "/v1/chat/completions", data=body) as response:
                first = await response.content.readany()
                r.process.send_signal(signal.SIGTERM)

                async def refuses() -> bool:
                    try:
                        async with aiohttp.ClientSession() as session, session.get(r.url + "/healthz"):
                            pass
                    except aiohttp.ClientConnectorError:
                        return True
                    return False

                await until(refuses)
                for _ in faults.STREAM[1:]:
                    go.put_nowait(None)
                rest = await response.content.read()
            assert (first + rest).endswith(b"data: [DONE]\n\n")

    asyncio.run(main())


def test_the_catalogue_health_and_status_are_there(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:
            _, listing = await r.get("/api/v1/models")
            assert [model["id"] for model in json.loads(listing)["data"]] == [MODEL]
            assert await r.get("/api/v1/models/count") == (200, '{"data":{"count":1}}')
            assert (await r.get("/healthz"))[0] == 200
            _, status = await r.get("/status")
            (endpoint,) = json.loads(status)["pools"][0]["endpoints"]
            assert (endpoint["url"], endpoint["state"], endpoint["running"]) == (upstream.url, "closed", 0)
            assert await r.metric("tramontane_endpoint_up") == 1

    asyncio.run(main())


def test_an_engine_that_does_not_answer_its_probe_is_not_ready(router: StartRouter) -> None:
    async def main() -> None:
        probe = {"interval_s": 0.05, "stale_after_s": 0.2}
        async with Engine(faults.good_answer) as upstream, router(upstream, probe=probe) as r:
            upstream.vanish()

            async def is_unready() -> bool:
                return (await r.get("/readyz"))[0] == 503

            await until(is_unready)

    asyncio.run(main())


def test_unknown_paths_and_methods_answer_in_the_apis_shape(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:
            status, text = await r.get("/api/v1/nowhere")
            assert (status, json.loads(text)["error"]["metadata"]["error_type"]) == (404, "not_found")
            status, text = await r.get("/api/v1/chat/completions")
            assert (status, json.loads(text)["error"]["code"]) == (404, 404)
            status, _ = await r.ask(b"{}", "/inference/v1/generate")
            assert status == 404
            assert upstream.requests == []

    asyncio.run(main())
