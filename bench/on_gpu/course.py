"""All measurements of one engine, one after the other."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import aiohttp

from bench.on_gpu.client import Answer, Client, picture
from bench.on_gpu.random_weights import PICTURE_PIXELS
from bench.on_gpu.rows import Row, first_token_s, line
from bench.physics.hardware import Hardware
from serving.architecture import Architecture
from serving.engine import Engine

SPECIAL = 1000  # tokens at the beginning of the vocabulary that are no text
REQUEST_S = 300.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked."""

    prompts: Sequence[int]  # lengths, in tokens
    streams: Sequence[int]  # how many at once
    stream_prompt: int  # tokens of context of each
    stream_tokens: int  # of each answer
    rounds: int


@dataclass(frozen=True, slots=True)
class Course:
    """All measurements of one engine, one after the other; each row is printed as it is there."""

    client: Client
    load: Load
    card: Hardware | None
    budget: int  # tokens of one step
    vocabulary: int
    sees: bool
    rng: Random

    async def run(self) -> list[Row]:
        """Raises ChildFailed when an answer is an error."""
        await self.client.complete(self._prompt(64), 8)
        rows: list[Row] = []
        for part in (self._prefill, self._picture, self._decode):
            async for row in part():
                print(line(row), flush=True)
                rows.append(row)
        return rows

    def _prompt(self, tokens: int) -> list[int]:
        return self.rng.choices(range(SPECIAL, self.vocabulary), k=tokens)

    def _foretell(self, prompt: int, cached: int) -> float | None:
        return None if self.card is None else first_token_s(self.card, prompt, cached, self.budget)

    async def _prefill(self) -> AsyncIterator[Row]:
        for tokens in self.load.prompts:
            prompts = [self._prompt(tokens) for _ in range(self.load.rounds)]
            for _ in ("fresh", "cached"):
                asked = [await self.client.in_engine(self.client.complete(prompt, 1)) for prompt in prompts]
                cached = asked[-1][0].cached_tokens
                what = f"prompt of {tokens:,}, {cached:,} of it cached"
                for row in self._first_token(what, asked, self._foretell(tokens, cached)):
                    yield row
                if not cached:
                    took, foretold = statistics.median(took for _, took in asked), self._foretell(tokens, 0)
                    yield Row(f"prefill, {what}", "tokens/s", tokens / took, foretold and tokens / foretold)

    def _first_token(self, what: str, asked: Sequence[tuple[Answer, float]], foretold: float | None) -> Iterator[Row]:
        client = statistics.median(answer.first_s for answer, _ in asked) * 1000
        yield Row(
            f"first token in the engine, {what}",
            "ms",
            statistics.median(took for _, took in asked) * 1000,
            foretold and foretold * 1000,
        )
        yield Row(f"first token at the client, {what}", "ms", client, foretold and foretold * 1000)

    async def _picture(self) -> AsyncIterator[Row]:
        if not self.sees:
            return
        encoder = await self.client.encoder_s(PICTURE_PIXELS, self.load.rounds)
        foretold = None if self.card is None else self.card.step.image_seconds(PICTURE_PIXELS, PICTURE_PIXELS)
        what = f"encoding a picture of {PICTURE_PIXELS} x {PICTURE_PIXELS}"
        yield Row(what, "ms", statistics.median(encoder) * 1000, foretold and foretold * 1000)
        await self.client.look(picture(PICTURE_PIXELS, self.rng))
        pictures = [picture(PICTURE_PIXELS, self.rng) for _ in range(self.load.rounds)]
        asked = [await self.client.in_engine(self.client.look(each)) for each in pictures]
        prompt = asked[-1][0].prompt_tokens
        rest = self._foretell(prompt, 0)
        whole = None if rest is None or foretold is None else rest + foretold
        for row in self._first_token(f"that picture ({prompt:,} tokens)", asked, whole):
            yield row

    async def _decode(self) -> AsyncIterator[Row]:
        prompts = [self._prompt(self.load.stream_prompt) for _ in range(max(self.load.streams))]
        began = time.perf_counter()
        await asyncio.gather(*(self.client.complete(prompt, 1) for prompt in prompts))
        took, tokens = time.perf_counter() - began, len(prompts) * self.load.stream_prompt
        foretold = None if self.card is None else tokens / self._saturated_s(len(prompts))
        yield Row(
            f"prefill, {len(prompts)} prompts of {self.load.stream_prompt:,}", "tokens/s", tokens / took, foretold
        )
        for count in self.load.streams:
            answers = await asyncio.gather(
                *(self.client.complete(prompt, self.load.stream_tokens) for prompt in prompts[:count])
            )
            context = count * (self.load.stream_prompt + self.load.stream_tokens // 2)
            foretold = None if self.card is None else self.card.step.seconds([], count, context) * 1000
            took = statistics.median(answer.per_token_s for answer in answers) * 1000
            yield Row(f"a token at {count} streams", "ms", took, foretold)

    def _saturated_s(self, prompts: int) -> float:
        assert self.card is not None
        return prompts * self.load.stream_prompt / self.budget * self.card.step.seconds([(self.budget, 0)], 0, 0)


async def measure(url: str, engine: Engine, load: Load, card: Hardware | None, shape: Architecture) -> list[Row]:
    """Ask the engine everything."""
    timeout = aiohttp.ClientTimeout(total=REQUEST_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, read_bufsize=2**20) as session:
        course = Course(
            client=Client(session, url, engine.model_id),
            load=load,
            card=card,
            budget=engine.arguments["max_num_batched_tokens"],
            vocabulary=shape.vocabulary,
            sees=shape.vision is not None,
            rng=Random(),  # fresh prompts every time: none may be in a cache
        )
        return await course.run()
