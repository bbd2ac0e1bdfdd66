"""Hostile and broken requests: each gets its status and names its field, no engine sees any, nobody else is harmed."""

import asyncio
import base64
import json
import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

from tests import fault_behaviours as faults
from tests.integration.conftest import KEY, MODEL, Engine, Router, StartRouter

HELLO = [{"role": "user", "content": "Hello?"}]
MEGABYTE = 1_048_576


def png(width: int, height: int) -> str:
    """A PNG that says it is so large; its pixels are not there, and need not be to see that it is too large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return "data:image/png;base64," + base64.b64encode(data).decode()


def picture(url: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}


def schema(value: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": value}}}


TOOL_RESULT = [*HELLO, {"role": "tool", "tool_call_id": "call_1", "content": "42"}]

BAD: dict[str, tuple[dict[str, Any] | bytes, int, str | None]] = {
    "not JSON": (b"hello", 400, "body"),
    "no object": (b"[]", 400, "body"),
    "invalid UTF-8": (b'{"model":"\xff"}', 400, "body"),
    "too deep": (b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "body"),
    "no messages": ({"messages": []}, 400, "messages"),
    "messages missing": (json.dumps({"model": MODEL}).encode(), 400, "messages"),
    "wrong role": ({"messages": [{"role": "wizard", "content": "x"}]}, 400, "messages[0].role"),
    "tool result without a call": ({"messages": TOOL_RESULT}, 400, "messages[1].tool_call_id"),
    "unknown model": ({"messages": HELLO, "model": "m/none"}, 400, "model"),
    "temperature 9": ({"messages": HELLO, "temperature": 9}, 400, "temperature"),
    "top_p 0": ({"messages": HELLO, "top_p": 0}, 400, "top_p"),
    "max_tokens 0": ({"messages": HELLO, "max_tokens": 0}, 400, "max_tokens"),
    "max_tokens beyond the context": ({"messages": HELLO, "max_tokens": 9_000}, 400, None),
    "too many stop strings": ({"messages": HELLO, "stop": ["a", "b", "c", "d", "e"]}, 400, "stop"),
    "n 1000": ({"messages": HELLO, "n": 1_000}, 400, "n"),
    "a broken picture": (picture("data:image/png;base64,AAAA"), 400, "messages[0].content[0].image_url.url"),
    "a picture that is no base64": (picture("data:image/png;base64,%%%"), 400, "messages[0].content[0].image_url.url"),
    "a picture of 2.5 gigapixels": (picture(png(50_000, 50_000)), 400, "messages[0].content[0].image_url.url"),
    "a picture to be fetched": (picture("http://169.254.169.254/x"), 400, "messages[0].content[0].image_url.url"),
    "a schema that is none": ({"messages": HELLO, **schema("x")}, 400, "response_format.json_schema.schema"),
    "an engine's own switch": ({"messages": HELLO, "chat_template": "{{x}}"}, 400, "chat_template"),
}


async def refused(router: Router, body: dict[str, Any] | bytes) -> tuple[int, str | None]:
    status, answer = await router.ask(body)
    assert answer["error"]["code"] == status
    assert answer["error"]["message"]
    return status, answer["error"]["metadata"].get("field")


def test_bad_requests_are_refused_by_name_while_others_are_served(router: StartRouter) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        async with Engine(faults.slow_stream(faults.STREAM, go)) as upstream, router(upstream) as r:
            go.put_nowait(None)
            body = json.dumps({"model": MODEL, "stream": True, "messages": HELLO})
            async with r.session.post(r.url + "/v1/chat/completions", data=body) as bystander:
                await bystander.content.readany()
                found = {name: await refused(r, request) for name, (request, _, _) in BAD.items()}
                for _ in faults.STREAM[1:]:
                    go.put_nowait(None)
                assert (await bystander.content.read()).endswith(b"data: [DONE]\n\n")
            assert found == {name: (status, field) for name, (_, status, field) in BAD.items()}
            assert len(upstream.requests) == 1

    asyncio.run(main())


def test_too_many_tokens_are_told_in_the_words_clients_look_for(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:
            _, answer = await r.ask({"messages": HELLO, "max_tokens": 9_000})
            assert answer["error"]["message"].startswith(
                "This endpoint's maximum context length is 8192 tokens. However, you requested about "
            )
            assert "9000 in the output)" in answer["error"]["message"]

    asyncio.run(main())


def test_a_gigabyte_without_a_length_is_refused_at_the_limit_and_never_held(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream, limits={"body_bytes": MEGABYTE}) as r:
            before = r.resident_bytes()
            address = urlsplit(r.url)
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
                b"authorization: Bearer %b\r\n\r\n" % KEY.encode()
            )

            async def pour() -> None:
                for _ in range(16_384):
                    writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                    await writer.drain()
                    await asyncio.sleep(0)  # the reader has its turn: `drain` yields to nobody while all is taken

            pouring = asyncio.ensure_future(pour())
            assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
            await asyncio.wait((pouring,))
            assert isinstance(pouring.exception(), ConnectionError)  # cut off long before the gigabyte was sent
            writer.close()
            assert r.resident_bytes() - before < 16 * MEGABYTE

    asyncio.run(main())
