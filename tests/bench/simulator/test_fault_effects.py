"""Each fault as a client meets it."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.bench.simulator.support import FAST, Client, with_engines


async def put(client: Client, fault: str, **more: Any) -> None:
    answer = await client.admin("PUT", "/admin/faults", {"fault": fault, **more})
    assert 200 == answer.status_code, answer.text


async def restore(client: Client) -> None:
    await client.admin("DELETE", "/admin/faults")


def test_an_internal_error() -> None:
    async def work(client: Client) -> None:
        await put(client, "500")
        assert 500 == (await client.chat()).status_code

    with_engines(work)


def test_an_overloaded_engine_says_when_to_come_again() -> None:
    async def work(client: Client) -> None:
        await put(client, "503", retry_after_s=7, count=1)
        answer = await client.chat()
        assert (503, "7") == (answer.status_code, answer.headers["retry-after"])
        assert 200 == (await client.chat()).status_code

    with_engines(work)


def test_a_reset_connection() -> None:
    async def work(client: Client) -> None:
        await put(client, "reset", count=1)
        with pytest.raises(httpx.ReadError):
            await client.chat()
        assert 200 == (await client.chat()).status_code

    with_engines(work)


def test_a_refused_connection_until_it_is_restored() -> None:
    async def work(client: Client) -> None:
        await put(client, "refuse")
        async with httpx.AsyncClient() as other:  # connections that are open go on
            with pytest.raises(httpx.ConnectError):
                await other.get(client.url("/health"))
        await restore(client)
        assert 200 == (await client.chat()).status_code

    with_engines(work)


def test_a_fault_of_the_whole_ends_by_itself() -> None:
    async def work(client: Client) -> None:
        await put(client, "refuse", for_s=0.01)
        await client.until(lambda state: state["faults"] == [])
        async with asyncio.timeout(5):
            while True:
                try:
                    assert 200 == (await client.chat()).status_code
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0)

    with_engines(work)


def test_a_slow_first_token_comes_all_the_same() -> None:
    async def work(client: Client) -> None:
        await put(client, "slow-first-token", delay_s=0.05)
        loop = asyncio.get_running_loop()
        for ask in (client.stream, client.chat):
            began = loop.time()
            await ask()
            assert loop.time() - began >= 0.05
        assert (await client.stream()).endswith(b"data: [DONE]\n\n")

    with_engines(work)


async def first_bytes(client: Client, until: bytes, **more: Any) -> bytes:
    """What comes of a stream up to and with `until`; then the client leaves."""
    body = {"model": "m", "max_tokens": 8, "stream": True, "messages": [{"role": "user", "content": "Hi"}], **more}
    said = b""
    async with client.http.stream("POST", client.url("/v1/chat/completions"), json=body) as answer:
        async for data in answer.aiter_bytes():
            said += data
            if until in said:
                return said
    return said


def test_a_stream_that_stalls_for_ever_ends_when_the_client_leaves() -> None:
    async def work(client: Client) -> None:
        await put(client, "stall", after_tokens=2)
        with pytest.raises(httpx.ReadTimeout):
            await first_bytes(client, b"[DONE]")
        await client.until(lambda state: state["running"] == 0 and state["connections"] == 0)

    with_quick_client(work)


def test_a_stream_that_stalls_for_a_while_goes_on_whole() -> None:
    async def work(client: Client) -> None:
        whole = await client.stream(request_id="x")
        await put(client, "stall", after_tokens=2, delay_s=0.02)
        assert whole.count(b"data: ") == (await client.stream(request_id="x")).count(b"data: ")

    with_engines(work)


def test_a_stall_may_have_comments() -> None:
    async def work(client: Client) -> None:
        await put(client, "stall-with-comments", after_tokens=2)
        said = await first_bytes(client, b": keep-alive\n\n")
        assert (3, False) == (said.count(b"data: "), b"[DONE]" in said)  # the role, and two tokens

    with_engines(work)


def test_a_truncated_answer() -> None:
    async def work(client: Client) -> None:
        await put(client, "truncate", after_tokens=2)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.chat()
        with pytest.raises(httpx.RemoteProtocolError):
            await client.stream()
        assert 0 == (await client.engine_state())["running"]

    with_engines(work)


def test_garbage_in_a_stream_in_an_answer_and_instead_of_one() -> None:
    async def work(client: Client) -> None:
        await put(client, "garbage", after_tokens=2)
        assert b"{{{\n\n" in await client.stream()
        assert (await client.chat()).content.endswith(b"{{{")
        await put(client, "garbage", after_tokens=0)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.chat()

    with_engines(work)


def test_an_engine_that_hangs_answers_nobody_until_it_goes_on() -> None:
    async def work(client: Client) -> None:
        await put(client, "hang")
        waiting = asyncio.create_task(client.chat())
        with pytest.raises(httpx.ReadTimeout):
            await client.http.get(client.url("/health"), timeout=0.05)
        assert not waiting.done()
        await restore(client)
        assert 200 == (await waiting).status_code

    with_engines(work)


def test_a_stream_stands_still_while_the_engine_hangs() -> None:
    async def work(client: Client) -> None:
        waiting = asyncio.create_task(client.chat(max_tokens=300))
        await client.until(lambda state: state["running"] == 1)
        await put(client, "hang")
        assert 1 == (await client.engine_state())["running"]
        await restore(client)
        assert 300 == (await waiting).json()["usage"]["completion_tokens"]

    with_engines(work, replace(FAST, time_scale=0.02))


def test_an_engine_that_died_comes_back_empty() -> None:
    async def work(client: Client) -> None:
        text = "Long enough for some blocks. " * 10
        await client.chat(text)
        under_way = asyncio.create_task(client.chat("Hello.", max_tokens=100_000))
        await client.until(lambda state: state["running"] == 1)
        await put(client, "die")
        with pytest.raises(httpx.ReadError):
            await under_way
        with pytest.raises(httpx.ConnectError):
            await client.chat()
        assert not (await client.engine_state())["is_alive"]
        await restore(client)
        answer = await client.chat(text)
        assert 0 == answer.json()["usage"]["prompt_tokens_details"]["cached_tokens"]

    with_engines(work)


def test_a_fault_may_be_one_engines_own() -> None:
    async def work(client: Client) -> None:
        await client.admin("PUT", "/admin/faults?engine=1", {"fault": "500"})
        assert [200, 500] == [(await client.chat(engine=number)).status_code for number in (0, 1)]

    with_engines(work, count=2)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/admin/faults", {"fault": "flood"}, 400),
        ("PUT", "/admin/faults?engine=9", {"fault": "500"}, 400),
        ("PUT", "/admin/faults?engin=0", {"fault": "500"}, 400),
        ("PUT", "/admin/faults?x", {"fault": "500"}, 400),
        ("POST", "/admin/faults", {"fault": "500"}, 404),
        ("GET", "/", None, 404),
    ],
)
def test_what_the_admin_does_not_know_is_refused(method: str, path: str, body: object, status: int) -> None:
    async def work(client: Client) -> None:
        answer = await client.admin(method, path, body)
        assert (status, True) == (answer.status_code, "error" in answer.json())

    with_engines(work)


def with_quick_client(work: Any) -> None:
    """With a client that waits for 0.1 s."""

    async def quickly(client: Client) -> None:
        async with httpx.AsyncClient(timeout=0.1) as http:
            await work(Client(client.fleet, http))

    with_engines(quickly)
