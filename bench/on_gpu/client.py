"""Asks one engine over HTTP and notes when the tokens came; the engine's own counters beside that."""

import asyncio
import base64
import io
import json
import re
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp

from bench.processes import ChildFailed

POLL_S = 0.25
COUNT_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """When the tokens of one answer came, in seconds since the request was sent."""

    first_s: float
    last_s: float
    first_tokens: int  # how many came first: more than one where the reader was slower than the engine
    tokens: int
    prompt_tokens: int
    cached_tokens: int

    @property
    def per_token_s(self) -> float:
        """From the first token to the last, a token."""
        return (self.last_s - self.first_s) / max(1, self.tokens - self.first_tokens)


def counted(metrics: str, name: str) -> float:
    """The sum of one of vLLM's series."""
    found = re.findall(rf"^vllm:{name}\{{[^}}]*\}} (\S+)$", metrics, re.MULTILINE)
    return sum(float(value) for value in found)


def picture(pixels: int, rng: Random) -> str:
    """The data URL of a square picture that no cache can hold."""
    from PIL import Image

    small = Image.frombytes("RGB", (64, 64), rng.randbytes(64 * 64 * 3))
    file = io.BytesIO()
    small.resize((pixels, pixels)).save(file, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one engine."""

    session: aiohttp.ClientSession
    url: str
    model: str

    async def complete(self, prompt: Sequence[int], tokens: int) -> Answer:
        """An answer of exactly so many tokens to a prompt of tokens."""
        return await self._ask("/v1/completions", {"prompt": list(prompt)}, tokens)

    async def look(self, image: str) -> Answer:
        """One token about a picture."""
        content = [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {"url": image}}]
        return await self._ask("/v1/chat/completions", {"messages": [{"role": "user", "content": content}]}, 1)

    async def in_engine(self, asked: Awaitable[Answer]) -> tuple[Answer, float]:
        """An answer, and the seconds from when the engine took its prompt up until its first token was there."""
        sum_before, count_before = await self._prefills()
        answer = await asked
        for _ in range(COUNT_LOOKS):  # vLLM counts a request after it has answered
            sum_now, count_now = await self._prefills()
            if count_now > count_before:
                return answer, (sum_now - sum_before) / (count_now - count_before)
            await asyncio.sleep(POLL_S)
        raise ChildFailed("the engine does not count its requests in vllm:request_prefill_time_seconds")

    async def _prefills(self) -> tuple[float, float]:
        async with self.session.get(f"{self.url}/metrics") as answer:
            text = await answer.text()
        return counted(text, "request_prefill_time_seconds_sum"), counted(text, "request_prefill_time_seconds_count")

    async def encoder_s(self, pixels: int, rounds: int) -> list[float]:
        """Seconds the vision encoder takes for a square picture, by `EncoderClock`."""
        body = {"method": "encoder_seconds", "args": [str(pixels), str(rounds)]}
        async with self.session.post(f"{self.url}/collective_rpc", json=body) as answer:
            if answer.status != 200:
                raise ChildFailed(f"/collective_rpc: {answer.status} {(await answer.text())[:500]}")
            seconds: list[float] = (await answer.json())["results"][0]
        return seconds

    async def _ask(self, path: str, body: dict[str, Any], tokens: int) -> Answer:
        body |= {
            "model": self.model,
            "max_tokens": tokens,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        }
        first = last = 0.0
        head = 0
        usage: dict[str, Any] = {}
        began = time.perf_counter()
        async with self.session.post(self.url + path, json=body) as answer:
            if answer.status != 200:
                raise ChildFailed(f"{path}: {answer.status} {(await answer.text())[:500]}")
            async for line in answer.content:
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line[6:])
                if "error" in event:
                    raise ChildFailed(f"{path}: {event['error']}")
                had, usage = usage.get("completion_tokens", 0), event.get("usage") or usage
                if usage.get("completion_tokens", 0) > had:
                    last = time.perf_counter() - began
                    first, head = (first, head) if first else (last, usage["completion_tokens"])
        details = usage.get("prompt_tokens_details") or {}
        cached = details.get("cached_tokens") or 0
        return Answer(first, last, head, usage["completion_tokens"], usage["prompt_tokens"], cached)
