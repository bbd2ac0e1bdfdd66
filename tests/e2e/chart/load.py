"""Constant load on a router's address, in a thread: every answer is looked at, and whatever is not right is kept.

Streams and whole answers, questions with and without pictures, connections that are kept and fresh ones. A kept
connection that is closed between two requests is opened anew, as every HTTP client does. A request that gets an error,
a connection that breaks after its bytes were sent, a stream that ends early or a wrong answer has failed: nothing is
tried again.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import aiohttp

from serving.pocket.evaluate import cases

CHAT = "/api/v1/chat/completions"
TIMEOUT_S = 300.0  # a request; engines that start beside it take the cores
LONG_TOKENS = 1500  # of a stream that is under way for seconds, whatever the model would say


class Wrong(Exception):
    """An answer that is not the right one."""


@dataclass(frozen=True)
class Question:
    """A body, and whether a choice's message answers it."""

    body: Mapping[str, Any]
    is_right: Callable[[Mapping[str, Any]], bool]
    finish: str = "stop"


@dataclass
class Seen:
    """By all clients together."""

    asked: int = 0
    answered: int = 0
    streams: int = 0
    failures: list[str] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)  # to the first byte of a body

    def taken_from(self, earlier: "Seen") -> "Seen":
        """What came since then."""
        return Seen(
            self.asked - earlier.asked,
            self.answered - earlier.answered,
            self.streams - earlier.streams,
            self.failures[len(earlier.failures) :],
            self.first_s[len(earlier.first_s) :],
        )

    def copy(self) -> "Seen":
        return Seen(self.asked, self.answered, self.streams, list(self.failures), list(self.first_s))


@dataclass(frozen=True)
class Client:
    """One that asks and asks."""

    questions: Sequence[Question]
    streams: Sequence[bool]  # in turn
    keeps: bool  # its connection
    pause_s: float


def questions(model: str, task: str, count: int) -> list[Question]:
    """Of the pocket model's tasks, at temperature 0; who asks them first sees which it knows."""
    common = {"model": model, "temperature": 0, "max_tokens": 120}
    return [Question({**common, **it.body}, it.is_right) for it in cases(task, 6, count)]


def long_one(model: str) -> Question:
    """Goes on for as long as it was told to."""
    body = {
        "model": model,
        "temperature": 0,
        "messages": [{"role": "user", "content": "Hello."}],
        "max_tokens": LONG_TOKENS,
        "ignore_eos": True,
    }
    return Question(body, lambda message: bool(message["content"]), "length")


@dataclass
class Load:
    """What is asked where."""

    url: str
    key: str
    seen: Seen = field(default_factory=Seen)
    phase: str = ""

    def known(self, asked: Sequence[Question]) -> list[Question]:
        """Those that are answered rightly now. Raises what goes wrong."""

        async def ask() -> list[Question]:
            found = []
            async with self._session(keeps=True) as session:
                for question in asked:
                    try:
                        await self._ask(session, question, False)
                    except Wrong:
                        continue
                    found.append(question)
            return found

        return asyncio.run(ask())

    @contextmanager
    def running(self, clients: Sequence[Client]) -> Iterator[Seen]:
        """For the time of the block, and until what was asked is answered."""
        stop = threading.Event()
        broken: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._run(clients, stop.is_set))
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                broken.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield self.seen
        finally:
            stop.set()
            thread.join(2 * TIMEOUT_S)
        assert [] == broken
        assert not thread.is_alive()

    async def _run(self, clients: Sequence[Client], is_over: Callable[[], bool]) -> None:
        await asyncio.gather(*(self._go_on(client, is_over) for client in clients))

    async def _go_on(self, client: Client, is_over: Callable[[], bool]) -> None:
        turns = zip(cycle(client.questions), cycle(client.streams), strict=False)
        async with self._session(client.keeps) as session:
            while not is_over():
                question, stream = next(turns)
                self.seen.asked += 1
                self.seen.streams += stream
                began = time.monotonic()
                try:
                    self.seen.first_s.append(await self._ask(session, question, stream))
                    self.seen.answered += 1
                except (Wrong, aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError) as error:
                    how = f"{'stream' if stream else 'whole'}, {'kept' if client.keeps else 'fresh'} connection"
                    after = f"{time.monotonic() - began:.2f} s after it was asked"
                    self.seen.failures.append(f"{self.phase} ({how}, {after}): {error!r}")
                await asyncio.sleep(client.pause_s)

    def _session(self, keeps: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=not keeps),
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
        )

    async def _ask(self, session: aiohttp.ClientSession, question: Question, stream: bool) -> float:
        """Seconds until the first byte. Raises Wrong, or what the client raises."""
        began = time.monotonic()
        async with session.post(self.url + CHAT, json={**question.body, "stream": stream}) as response:
            if response.status != 200:
                raise Wrong(f"{response.status}: {(await response.text())[:500]}")
            first = await response.content.read(1)
            first_s = time.monotonic() - began
            body = first + await response.content.read()
        message, finish = _streamed(body) if stream else _whole(body)
        if finish != question.finish or not question.is_right(message):
            raise Wrong(f"it ended with {finish}: {message}")
        return first_s


def _whole(body: bytes) -> tuple[dict[str, Any], str]:
    choice = json.loads(body)["choices"][0]
    return choice["message"], choice["finish_reason"]


def _streamed(body: bytes) -> tuple[dict[str, Any], str]:
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
    if not lines or lines.pop() != "[DONE]":
        raise Wrong(f"the stream has no end: {body[-300:]!r}")
    text, finish = "", ""
    for line in lines:
        chunk = json.loads(line)
        if "error" in chunk:
            raise Wrong(line)
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            finish = choice["finish_reason"] or finish
    return {"role": "assistant", "content": text}, finish
