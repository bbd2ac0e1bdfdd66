"""Anthropic's own client in front of a real router, with simulated engines behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import anthropic
import pytest
from anthropic import AsyncAnthropic

from bench.simulator.fleet import Fleet, Place, fleet
from bench.simulator.settings import SimulatorSettings
from router.api.inference import ROUTES
from tests import fault_behaviours as faults
from tests.integration.conftest import KEY, MODEL, Engine, Router, StartRouter
from tests.router.protocol.messages_api.asking import TOOL, image, result, text, use, user

SETTINGS = SimulatorSettings(model="m", gpu="h100", time_scale=0.05)
HELLO: Any = [{"role": "user", "content": "Hello?"}]
Work = Callable[[AsyncAnthropic, Router], Awaitable[None]]
# of a small context, where prompts are made to fit unless that is switched off
UNCOMPRESSED = {"plugins": [{"id": "context-compression", "enabled": False}]}


def client_of(router: Router, **options: Any) -> AsyncAnthropic:
    return AsyncAnthropic(base_url=f"{router.url}/api", max_retries=0, **{"api_key": KEY, **options})


def with_client(router: StartRouter, work: Work) -> None:
    async def main() -> None:
        async with (
            fleet(SETTINGS, 1, Place()) as behind,
            router(*_listeners(behind)) as r,
            client_of(r) as client,
        ):
            await work(client, r)

    asyncio.run(main())


def _listeners(behind: Fleet) -> list[Any]:
    return [each.listener for each in behind.replicas]


def test_a_message_is_answered_whole(router: StartRouter) -> None:
    async def work(client: AsyncAnthropic, r: Router) -> None:
        message = await client.messages.create(model=MODEL, max_tokens=8, system="Be brief.", messages=HELLO)
        assert message.id.startswith("gen-")
        assert ("message", MODEL, "assistant", "max_tokens") == (
            message.type,
            message.model,
            message.role,
            message.stop_reason,
        )
        assert message.content[0].type == "text"
        assert message.content[0].text
        assert 8 == message.usage.output_tokens
        told = message.to_dict()
        assert "local" == told["provider"]
        assert 0 < told["usage"]["cost"]  # type: ignore[index]

    with_client(router, work)


def test_a_message_is_streamed_with_the_counts_of_the_whole_one(router: StartRouter) -> None:
    async def work(client: AsyncAnthropic, r: Router) -> None:
        whole = await client.messages.create(model=MODEL, max_tokens=30, messages=HELLO)
        async with client.messages.stream(model=MODEL, max_tokens=30, messages=HELLO) as stream:
            pieces = [piece async for piece in stream.text_stream]
            message = await stream.get_final_message()
        assert 10 < len(pieces)
        assert "".join(pieces) == message.content[0].text == whole.content[0].text  # type: ignore[union-attr]
        assert (whole.stop_reason, whole.usage.output_tokens) == (message.stop_reason, message.usage.output_tokens)
        for usage in (whole.usage, message.usage):
            assert whole.usage.input_tokens + (whole.usage.cache_read_input_tokens or 0) == usage.input_tokens + (
                usage.cache_read_input_tokens or 0
            )

    with_client(router, work)


def test_tools_pictures_and_prefill_reach_the_engine(router: StartRouter) -> None:
    async def work(client: AsyncAnthropic, r: Router) -> None:
        messages: Any = [
            user(text("What is this, and how is the weather there?"), image()),
            {"role": "assistant", "content": [use(city="Ulm")]},
            user(result([text("Rain."), image()])),
            {"role": "assistant", "content": "It is"},
        ]
        tools: Any = [TOOL]
        message = await client.messages.create(model=MODEL, max_tokens=4, messages=messages, tools=tools)
        assert 4 == message.usage.output_tokens

    with_client(router, work)


def test_a_stop_sequence_is_told(router: StartRouter) -> None:
    async def work(client: AsyncAnthropic, r: Router) -> None:
        spoken = await client.messages.create(model=MODEL, max_tokens=30, messages=HELLO)
        word = spoken.content[0].text.split()[3]  # type: ignore[union-attr]
        asked: Any = {"model": MODEL, "max_tokens": 30, "messages": HELLO, "stop_sequences": [word]}
        message = await client.messages.create(**asked)
        async with client.messages.stream(**asked) as stream:
            streamed = await stream.get_final_message()
        for each in (message, streamed):
            assert ("stop_sequence", word) == (each.stop_reason, each.stop_sequence)

    with_client(router, work)


def test_claude_codes_way_to_authenticate_is_understood(router: StartRouter) -> None:
    async def work(client: AsyncAnthropic, r: Router) -> None:
        headers = {"anthropic-beta": "context-management-2025-06-27,interleaved-thinking-2025-05-14"}
        async with client_of(r, api_key=None, auth_token=KEY, default_headers=headers) as bearer:
            assert (await bearer.messages.create(model=MODEL, max_tokens=1, messages=HELLO)).content
        async with client_of(r, api_key="sk-or-v1-nobody") as stranger:
            with pytest.raises(anthropic.AuthenticationError):
                await stranger.messages.create(model=MODEL, max_tokens=1, messages=HELLO)

    with_client(router, work)


def test_errors_come_in_anthropics_shape(router: StartRouter) -> None:
    async def work(client: AsyncAnthropic, r: Router) -> None:
        wrong: Any = [user(text("a"), {"type": "search_result"})]
        with pytest.raises(anthropic.BadRequestError) as refused:
            await client.messages.create(model=MODEL, max_tokens=1, messages=wrong)
        body: Any = refused.value.body
        assert "invalid_request_error" == body["error"]["type"]
        assert body["error"]["message"].startswith("messages[0].content[1].type: ")
        assert body["request_id"] == refused.value.response.headers["x-generation-id"]
        too_long: Any = [user("word " * 60_000)]
        with pytest.raises(anthropic.BadRequestError, match="maximum context length"):
            await client.messages.create(model=MODEL, max_tokens=1, messages=too_long, extra_body=UNCOMPRESSED)

    with_client(router, work)


def test_a_stream_that_breaks_ends_with_an_error_event(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.truncated_stream) as upstream, router(upstream) as r, client_of(r) as client:
            with pytest.raises(anthropic.APIStatusError, match="api_error"):
                async with client.messages.stream(model=MODEL, max_tokens=9, messages=HELLO) as stream:
                    await stream.get_final_message()

    asyncio.run(main())


def test_who_waits_is_pinged(router: StartRouter) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        stream = {"comment_after_s": 0.05, "comment_every_s": 0.05}
        async with (
            Engine(faults.slow_stream(faults.STREAM, go)) as upstream,
            router(upstream, stream=stream) as r,
        ):
            body = {"model": MODEL, "stream": True, "messages": HELLO}
            async with r.session.post(r.url + "/api/v1/messages", json=body) as response:
                assert b'event: ping\ndata: {"type":"ping"}\n\n' == await _event(response)
                for _ in faults.STREAM:
                    go.put_nowait(None)
                while b"message_stop" not in await _event(response):
                    pass

    asyncio.run(main())


async def _event(response: aiohttp.ClientResponse) -> bytes:
    return await response.content.readuntil(b"\n\n")


@pytest.mark.skipif("/messages/count_tokens" not in ROUTES, reason="not wired yet")
def test_tokens_are_counted_as_the_engine_counts_them_and_cost_nothing(router: StartRouter) -> None:
    async def work(client: AsyncAnthropic, r: Router) -> None:
        asked: Any = {"model": MODEL, "messages": [user(text("How many?"), image())], "system": "Count."}
        counted = await client.messages.count_tokens(**asked)
        assert 0 == await r.metric("tramontane_tokens_total")
        message = await client.messages.create(max_tokens=1, **asked)
        assert counted.input_tokens == message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0)
        with pytest.raises(anthropic.BadRequestError, match="not a valid model"):
            await client.messages.count_tokens(model="no/such", messages=HELLO)

    with_client(router, work)
