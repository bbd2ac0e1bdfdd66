"""The simulated engine over HTTP, as the router and its users ask it."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from bench.physics.engine import EngineSettings
from router.protocol.engine_metrics import parse_metrics
from router.protocol.wire import EngineUsage
from tests.bench.simulator.support import CHAT, FAST, SMALL, Client, picture, user, with_engines

LONG = "All work and no play makes Jack a dull boy. " * 20  # 220 tokens


def usage(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["usage"]
    return found


def cached(answer: httpx.Response) -> int:
    return int(usage(answer)["prompt_tokens_details"]["cached_tokens"])


def test_a_chat_is_answered() -> None:
    async def work(client: Client) -> None:
        answer = (await client.chat(request_id="abc")).json()
        assert ("chatcmpl-abc", "chat.completion", "m") == (answer["id"], answer["object"], answer["model"])
        assert 32 == len(answer["choices"][0]["message"]["content"])
        assert "length" == answer["choices"][0]["finish_reason"]
        assert (5, 8, 13) == tuple(answer["usage"][f"{kind}_tokens"] for kind in ("prompt", "completion", "total"))

    with_engines(work)


def test_a_stream_says_the_same_as_the_whole_answer() -> None:
    async def work(client: Client) -> None:
        whole = (await client.chat()).json()
        *events, done = (await client.stream()).decode().split("\n\n")[:-1]
        chunks = [json.loads(event.removeprefix("data: ")) for event in events]
        said = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks[:-1])
        assert "data: [DONE]" == done
        assert whole["choices"][0]["message"]["content"] == said
        assert whole["usage"]["completion_tokens"] == chunks[-1]["usage"]["completion_tokens"] == len(chunks) - 2

    with_engines(work)


def test_a_stream_has_usage_only_if_it_is_asked_for() -> None:
    async def work(client: Client) -> None:
        assert b'"usage"' not in (await client.chat(stream=True)).content

    with_engines(work)


def test_a_completion_is_answered_for_a_text_and_for_token_ids() -> None:
    async def work(client: Client) -> None:
        for prompt, tokens in (("Once upon", 4), (["Once upon"], 4), ([5, 6, 7], 3), ([[5, 6, 7]], 3)):
            body = {"model": "m", "prompt": prompt}
            answer = (await client.http.post(client.url("/v1/completions"), json=body)).json()
            assert ("text_completion", tokens, 16) == (
                answer["object"],
                answer["usage"]["prompt_tokens"],
                answer["usage"]["completion_tokens"],
            )

    with_engines(work)


def test_a_prompt_that_came_before_is_cached_but_for_its_last_block() -> None:
    async def work(client: Client) -> None:
        first, second = await client.chat(LONG), await client.chat(LONG)
        tokens = usage(first)["prompt_tokens"]
        assert (0, (tokens - 1) // 16 * 16) == (cached(first), cached(second))
        assert tokens % 16  # else this would not tell the last block from the last token

    with_engines(work)


def test_the_next_turn_finds_the_answer_before_it_in_the_cache() -> None:
    async def work(client: Client) -> None:
        first = await client.chat(LONG, max_tokens=160)
        said = first.json()["choices"][0]["message"]["content"]
        turns = [user(LONG), {"role": "assistant", "content": said}, user("Go on.")]
        second = await client.chat(messages=turns)
        known = usage(first)["prompt_tokens"] + 160 - 1  # the last token was never computed on
        assert known // 16 * 16 == cached(second)

    with_engines(work)


def test_engines_share_no_cache() -> None:
    async def work(client: Client) -> None:
        await client.chat(LONG, engine=0)
        assert 0 == cached(await client.chat(LONG, engine=1))

    with_engines(work, count=2)


def test_a_cache_that_is_full_forgets_what_was_not_used_longest() -> None:
    async def work(client: Client) -> None:
        for text in ("first ", "second ", "third "):
            await client.chat(text * 1400)  # 2,100 tokens, of 4,096
        assert 0 == cached(await client.chat("first " * 1400))

    with_engines(work, SMALL)


def test_pictures_are_recognised() -> None:
    async def work(client: Client) -> None:
        def ask(shade: int) -> dict[str, Any]:
            return {
                "messages": [{"role": "user", "content": [picture(280, 280, shade), {"type": "text", "text": "?"}]}]
            }

        first, same, other = [await client.chat(**ask(shade)) for shade in (0, 0, 1)]
        assert (0, 112, 0) == (cached(first), cached(same), cached(other))
        assert {"image": 110} == usage(first)["prompt_tokens_details"]["multimodal_tokens"]

    with_engines(work)


def test_shorter_answers_end_first_and_equal_ones_in_the_order_they_came() -> None:
    async def work(client: Client) -> None:
        ended: list[int] = []

        async def ask(number: int, tokens: int) -> None:
            await client.chat(f"number {number}", max_tokens=tokens)
            ended.append(number)

        async with asyncio.TaskGroup() as group:
            for number, tokens in enumerate((200, 20, 100)):
                group.create_task(ask(number, tokens))
        assert [1, 2, 0] == ended

    with_engines(work, replace(FAST, time_scale=0.02))


@pytest.mark.parametrize(
    ("more", "status", "kind", "param"),
    [
        ({"model": "other"}, 404, "NotFoundError", "model"),
        ({"max_tokens": 4090}, 400, "BadRequestError", "input_tokens"),
        ({"max_tokens": 5000}, 400, "BadRequestError", "max_tokens"),
        ({"max_tokens": 0}, 400, "BadRequestError", "max_tokens"),
        ({"messages": []}, 400, "BadRequestError", "messages"),
        ({"messages": "Hi"}, 400, "BadRequestError", None),
        ({"n": 2}, 400, "BadRequestError", None),
    ],
)
def test_what_an_engine_would_refuse_is_refused(
    more: dict[str, Any], status: int, kind: str, param: str | None
) -> None:
    async def work(client: Client) -> None:
        answer = await client.chat("Some more words than that.", **more)
        error = answer.json()["error"]
        assert (status, status, kind, param) == (answer.status_code, error["code"], error["type"], error["param"])

    with_engines(work, SMALL)


def test_the_engine_stops_when_the_client_leaves() -> None:
    async def work(client: Client) -> None:
        body = {"model": "m", "stream": True, "max_tokens": 4000, "messages": [user("Hi")]}
        async with client.http.stream("POST", client.url(CHAT), json=body) as answer:
            await anext(answer.aiter_bytes())
            assert 1 == (await client.engine_state())["running"]
        await client.until(lambda state: state["running"] == 0)
        page = (await client.http.get(client.url("/metrics"))).text
        assert 'vllm:request_success_total{engine="0",model_name="m",finished_reason="abort"} 1.0' in page

    with_engines(work, replace(FAST, time_scale=1.0))


def test_metrics_have_the_engines_names() -> None:
    async def work(client: Client) -> None:
        for _ in range(2):
            await client.chat(LONG)
        page = (await client.http.get(client.url("/metrics"))).content
        tokens = 223
        assert parse_metrics(page) == replace(
            parse_metrics(page),
            running=0,
            waiting=0,
            kv_usage=0.0,
            prompt_tokens_total=2 * tokens,
            generation_tokens_total=16,
            prefix_queries_total=2 * tokens,
            prefix_hits_total=208,
            preemptions_total=0,
        )
        assert b"vllm:time_to_first_token_seconds_count" in page
        assert b'num_gpu_blocks="' in page

    with_engines(work)


def test_the_small_routes_answer() -> None:
    async def work(client: Client) -> None:
        async def get(path: str) -> httpx.Response:
            return await client.http.get(client.url(path))

        assert {"version": "0.29.0"} == (await get("/version")).json()
        assert (200, b"") == ((health := await get("/health")).status_code, health.content)
        (card,) = (await get("/v1/models")).json()["data"]
        assert ("m", 4096) == (card["id"], card["max_model_len"])
        assert [] == (await get("/kv_event_sources")).json()
        assert 404 == (await get("/nowhere")).status_code

    with_engines(work, SMALL)


def test_rendering_and_tokenizing_count_as_answering_does() -> None:
    async def work(client: Client) -> None:
        chat: dict[str, Any] = {
            "model": "m",
            "messages": [{"role": "user", "content": [picture(100, 60), {"type": "text", "text": "?"}]}],
        }
        answer = (await client.chat(return_token_ids=True, **chat)).json()
        rendered = (await client.http.post(client.url(CHAT + "/render"), json=chat)).json()
        counted = (await client.http.post(client.url("/tokenize"), json=chat)).json()
        assert answer["prompt_token_ids"] == rendered["token_ids"] == counted["tokens"]
        assert [{"offset": 2, "length": 15}] == rendered["features"]["mm_placeholders"]["image"]
        assert answer["usage"]["prompt_tokens"] == counted["count"]
        assert 8 == len(answer["choices"][0]["token_ids"])
        text = (await client.http.post(client.url("/tokenize"), json={"prompt": "four"})).json()
        assert (2, 4096) == (text["count"], text["max_model_len"])
        begun: dict[str, Any] = {"messages": [*chat["messages"], {"role": "assistant", "content": "four"}]}
        ended = (await client.http.post(client.url("/tokenize"), json=begun)).json()
        begun |= {"continue_final_message": True, "add_generation_prompt": False}
        assert ended["count"] - 1 == (await client.http.post(client.url("/tokenize"), json=begun)).json()["count"]
        begun["add_generation_prompt"] = True
        assert 400 == (await client.http.post(client.url("/tokenize"), json=begun)).status_code

    with_engines(work, SMALL)


def test_the_prefix_cache_can_be_reset() -> None:
    async def work(client: Client) -> None:
        await client.chat(LONG)
        assert 200 == (await client.http.post(client.url("/reset_prefix_cache"))).status_code
        assert 0 == cached(await client.chat(LONG))

    with_engines(work)


def test_more_requests_than_may_run_wait() -> None:
    async def work(client: Client) -> None:
        tasks = [asyncio.create_task(client.chat(f"{number}", max_tokens=100)) for number in range(3)]
        await client.until(lambda state: (state["running"], state["waiting"]) == (2, 1))
        for task in tasks:
            assert 100 == usage(await task)["completion_tokens"]

    with_engines(work, replace(FAST, time_scale=0.05, engine=EngineSettings(max_num_seqs=2)))


def test_requests_on_one_connection_are_answered_in_order() -> None:
    async def work(client: Client) -> None:
        host, port = client.fleet.replicas[0].listener.host, client.fleet.replicas[0].listener.port
        reader, writer = await asyncio.open_connection(host, port)
        body = json.dumps({"model": "m", "max_tokens": 3, "messages": [user("Hi")]}).encode()
        ask = b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (CHAT.encode(), len(body), body)
        writer.write(ask + b"GET /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        said = await reader.read()
        assert 2 == said.count(b"HTTP/1.1 200 OK")
        assert said.index(b"chat.completion") < said.index(b"0.29.0")
        writer.close()
        await writer.wait_closed()

    with_engines(work)


def test_what_is_no_http_is_refused() -> None:
    async def work(client: Client) -> None:
        listener = client.fleet.replicas[0].listener
        reader, writer = await asyncio.open_connection(listener.host, listener.port)
        writer.write(b"\x00\x01\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        await writer.wait_closed()

    with_engines(work)


def test_usage_is_read_by_the_router() -> None:
    async def work(client: Client) -> None:
        await client.chat(LONG)
        read = msgspec.convert(usage(await client.chat(LONG)), EngineUsage).read()
        assert (223, 8, 208) == (read.prompt_tokens, read.completion_tokens, read.cached_tokens)

    with_engines(work)
