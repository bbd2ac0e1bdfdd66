"""A key, a token of the router's own and a caller's words go through every path of a real router; none of them is left.

They may be in no log (at the most talkative level, with a line for each access), no metric, no error that somebody else
could see, and in nothing that an engine gets beside the words themselves. The engine is an enemy here: it repeats all
that it was sent in its errors, its headers and its stream.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests import fault_behaviours as faults
from tests.faults import Exchange
from tests.integration.conftest import KEY, MODEL, Engine, Router, StartRouter

WORDS = "canary-words-9c1f"
OTHER_KEY = "sk-or-v1-" + "c0ffee" * 10 + "0123"
TOKEN = "canary-token-of-ray-5b7d"
METADATA = "canary-metadata-77aa"
HEADER = "canary-header-31e0"
COOKIE = "canary-cookie-f00d"
SECRETS = (KEY, OTHER_KEY, TOKEN, HEADER, COOKIE)
EVERYWHERE = (*SECRETS, WORDS, METADATA)

# All that an engine may get of a request, whoever sent it.
HEADERS = {
    "host",
    "content-length",
    "content-type",
    "accept",
    "accept-encoding",
    "user-agent",
    "connection",
    "x-request-disconnect-disabled",
}
FIELDS = {"model", "messages", "prompt", "request_id", "stream", "stream_options", "max_tokens", "cache_salt"}


def ask(**more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{WORDS} {OTHER_KEY}"}]
    kept = {"user": METADATA, "session_id": METADATA, "metadata": {"k": METADATA}, "trace": {"k": METADATA}}
    return {"model": MODEL, "messages": messages, **kept, **more}


def everything(exchange: Exchange) -> str:
    """The request as an engine might repeat it."""
    request = exchange.request
    return json.dumps({"headers": dict(request.headers), "body": request.body.decode(), "token": f"Bearer {TOKEN}"})


async def repeats_in_an_error(exchange: Exchange) -> None:
    error = {"message": f"no: {everything(exchange)} at http://{HEADER}/x", "type": "x", "param": KEY, "code": 500}
    body = json.dumps({"error": error}).encode()
    exchange.send(faults.head(500, content_length=str(len(body)), x_echo=OTHER_KEY) + body)


async def repeats_in_a_refusal(exchange: Exchange) -> None:
    body = json.dumps({"error": {"message": f"bad key {OTHER_KEY} Bearer {TOKEN}", "code": 401}}).encode()
    exchange.send(faults.head(401, content_length=str(len(body))) + body)


async def repeats_in_the_stream(exchange: Exchange) -> None:
    event = (
        b"data: " + json.dumps({"error": {"message": f"Bearer {TOKEN} {OTHER_KEY}", "code": 500}}).encode() + b"\n\n"
    )
    exchange.send(faults.STREAM_HEAD + faults.chunk(faults.STREAM[0]) + faults.chunk(event) + b"0\r\n\r\n")


async def breaks_off(exchange: Exchange) -> None:
    exchange.send(faults.STREAM_HEAD + faults.chunk(faults.STREAM[0]))
    exchange.close()


async def is_no_http(exchange: Exchange) -> None:
    exchange.send(everything(exchange).encode() + b"\r\n\r\n")
    exchange.close()


async def is_no_completion(exchange: Exchange) -> None:
    body = everything(exchange).encode()
    exchange.send(faults.head(content_length=str(len(body))) + body)


ENGINES: dict[str, tuple[Any, dict[str, Any]]] = {
    "an answer": (faults.good_answer, {}),
    "a stream": (faults.good_stream, {"stream": True}),
    "an error": (repeats_in_an_error, {}),
    "an error of a stream": (repeats_in_an_error, {"stream": True}),
    "a refusal": (repeats_in_a_refusal, {}),
    "an error within a stream": (repeats_in_the_stream, {"stream": True}),
    "a stream that breaks off": (breaks_off, {"stream": True}),
    "what is no HTTP": (is_no_http, {}),
    "what is no completion": (is_no_completion, {}),
    "what is no stream": (is_no_completion, {"stream": True}),
    "silence": (faults.silent, {"stream": True}),
    "silence without a stream": (faults.silent, {}),
    "a rate limit": (faults.rate_limited, {}),
    "overload": (faults.overloaded, {}),
}

# Paths that end before any engine.
EARLY: dict[str, Callable[[aiohttp.ClientSession, str], Awaitable[str]]] = {}


def early(path: str, **request: Any) -> Callable[[aiohttp.ClientSession, str], Awaitable[str]]:
    async def send(session: aiohttp.ClientSession, base: str) -> str:
        async with session.post(base + path, **request) as response:
            return await response.text() + str(dict(response.headers))

    return send


CHAT = "/v1/chat/completions"
EARLY = {
    "an unknown route": early(f"/v1/nothing?key={OTHER_KEY}", json=ask()),
    "an unknown key": early(CHAT, json=ask(), headers={"Authorization": f"Bearer {OTHER_KEY}"}),
    "a key in the wrong form": early(CHAT, json=ask(), headers={"Authorization": f"Basic {OTHER_KEY}"}),
    "a key elsewhere": early(CHAT, json=ask(), headers={"Authorization": "", "x-api-key": OTHER_KEY}),
    "a bad field": early(CHAT, json=ask(temperature=OTHER_KEY)),
    "a field of another": early(CHAT, json=ask(api_key=OTHER_KEY)),
    "an unknown model": early(CHAT, json=ask(model="m/none")),
    "no JSON": early(CHAT, data=f"{WORDS} {OTHER_KEY}"),
    "too large": early(CHAT, json=ask(user="x" * 600_000)),
    "a picture that is none": early(
        CHAT,
        json=ask(messages=[{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": f"https://u:{OTHER_KEY}@example.com/x"}}
        ]}]),
    ),
}  # fmt: skip


def found_in(text: str, words: tuple[str, ...]) -> set[str]:
    return {word for word in words if word in text}


def test_no_secret_and_no_word_of_a_caller_is_left_anywhere(
    router: StartRouter, capfd: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        for name, (behaviour, more) in ENGINES.items():
            async with Engine(behaviour) as engine:
                settings = {
                    "log": {"level": "debug", "access": True},
                    "deadlines": {"first_token_s": 0.3, "total_s": 1.0},
                    "retry": {"max_attempts": 2},
                    "limits": {"body_bytes": 500_000},
                }
                async with router(engine, **settings) as r:
                    told = await answer(r, ask(**more))
                    if name == "an answer":
                        for path, send in EARLY.items():
                            assert set() == found_in(await send(r.session, r.url), SECRETS), path
                    _, metrics = await r.get("/metrics")
                assert engine.requests, name
                for request in engine.requests:
                    assert set() == found_in(str(request.headers) + request.path, EVERYWHERE), name
                    assert set() == set(request.headers) - HEADERS, name
                    sent = json.loads(request.body)
                    assert set() == set(sent) - FIELDS, name
                    assert set() == found_in(json.dumps({**sent, "messages": None}), EVERYWHERE), name
            assert set() == found_in(told, SECRETS), name
            assert set() == found_in(metrics, EVERYWHERE), name

    asyncio.run(main())
    out, logs = capfd.readouterr()
    assert "DEBUG" in logs  # there is something to look through
    assert [] == [line for line in (out + logs).splitlines() if found_in(line, EVERYWHERE)]


async def answer(router: Router, body: dict[str, Any]) -> str:
    """Everything that the caller is told."""
    headers = {"x-api-key": HEADER, "Cookie": f"session={COOKIE}", "X-Title": METADATA, "Referer": f"http://{HEADER}/"}
    async with router.session.post(router.url + CHAT, json=body, headers=headers) as response:
        return str(dict(response.headers)) + (await response.read()).decode(errors="replace")
