"""Mixed requests of impatient clients, and what each of them saw."""

import asyncio
import base64
import io
import json
import random
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.stack import CHAT, KEY, MODEL, bearer
from tests.router.protocol.pictures import png

PICTURE = "data:image/png;base64," + base64.b64encode(png(640, 480)).decode()
TOPICS = ("prime numbers", "the moon", "good bread", "old ships", "small gardens")


@dataclass
class Seen:
    """By the clients of one run."""

    asked: int = 0
    ids: set[str] = field(default_factory=set)  # of generations that were told of
    tokens: dict[str, int] = field(default_factory=dict)  # completion tokens of whole answers, by id
    left: int = 0  # answers that were not read to the end
    errors: dict[int, int] = field(default_factory=dict)  # by status; 0: the connection broke


def body(rng: random.Random, *, longest: int = 24) -> dict[str, Any]:
    """One in eight has a picture; half are streamed."""
    text = f"Tell me about {rng.choice(TOPICS)}. " * rng.randint(1, 8)
    content: Any = text
    if rng.random() < 0.125:
        content = [{"type": "image_url", "image_url": {"url": PICTURE}}, {"type": "text", "text": text}]
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": rng.randint(1, longest),
        "stream": rng.random() < 0.5,
    }


async def ask(
    session: aiohttp.ClientSession, url: str, asked: dict[str, Any], seen: Seen, *, leaves_after: int | None = None
) -> None:
    """One request. `leaves_after`: of so many events the client goes away (0: before anything is there)."""
    seen.asked += 1
    try:
        if leaves_after == 0:
            async with asyncio.timeout(0.005):
                await _read(session, url, asked, seen, None)
        else:
            await _read(session, url, asked, seen, leaves_after)
    except TimeoutError:
        seen.left += 1
    except (aiohttp.ClientError, ConnectionError):
        seen.errors[0] = seen.errors.get(0, 0) + 1


async def _read(
    session: aiohttp.ClientSession, url: str, asked: dict[str, Any], seen: Seen, leaves_after: int | None
) -> None:
    data = json.dumps(asked).encode()
    async with session.post(url + CHAT, data=io.BytesIO(data), headers=bearer(KEY)) as response:
        if response.status != 200:
            seen.errors[response.status] = seen.errors.get(response.status, 0) + 1
            return
        generation_id = response.headers["x-generation-id"]
        seen.ids.add(generation_id)
        if not asked["stream"]:
            whole = json.loads(await response.read())
            seen.tokens[generation_id] = whole["usage"]["completion_tokens"]
            return
        events = 0
        async for line in response.content:
            events += line.startswith(b"data: ")
            if leaves_after is not None and events >= leaves_after:
                seen.left += 1
                response.close()
                return
            if b'"error":' in line:
                seen.errors[200] = seen.errors.get(200, 0) + 1
                return
            if b'"usage":{' in line:
                seen.tokens[generation_id] = json.loads(line[6:])["usage"]["completion_tokens"]
