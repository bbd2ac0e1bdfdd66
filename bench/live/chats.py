"""Chats of several turns, made up: with pictures that come again in every turn, or with long beginnings of their own.

Each turn sends the whole chat so far, as clients do, so an engine that has served the turn before needs to compute the
new part alone. The words between the pictures are the same in all chats: only the pictures tell them apart.
"""

import base64
import heapq
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.live.request import Asked, Texts, chat

SYSTEM = "You are an assistant who looks closely at pictures. Answer briefly, and say so when you are not sure. " * 3
QUESTIONS = ("What do you see?", "What is different in them?", "Which colours are there?", "Describe the first again.")
ANSWER = "There are some things on a table. I am not quite sure what they are made of."


@dataclass(frozen=True, slots=True)
class Pace:
    """When turns come. Seconds of the engines."""

    chats_per_s: float
    turns: int
    pause_s: float  # between two turns, on average
    seconds: float  # in which chats begin


def with_pictures(model: str, texts: Texts, rng: random.Random, pace: Pace) -> Iterator[Asked]:
    """One or two pictures first, now and then another later; one chat in five begins with a picture that many share."""

    def begin(number: int) -> list[Any]:
        first = ("shared", rng.randrange(3)) if rng.random() < 0.2 else ("own", number)
        pictures = [_picture(texts.of(first, 24), rng_of(first))]
        if rng.random() < 0.5:
            pictures.append(_picture(texts.of(("second", number), 24), rng))
        return [{"role": "system", "content": SYSTEM}, _said(pictures, QUESTIONS[0])]

    def go_on(number: int, turn: int) -> list[Any]:
        more = [_picture(texts.of(("later", number, turn), 24), rng)] if rng.random() < 0.25 else []
        return [{"role": "assistant", "content": ANSWER}, _said(more, QUESTIONS[turn % len(QUESTIONS)])]

    return _turns(model, begin, go_on, rng, pace, max_tokens=lambda: rng.randrange(20, 120))


def with_long_beginnings(
    model: str, texts: Texts, rng: random.Random, pace: Pace, *, first_bytes: int, more_bytes: int, max_tokens: int
) -> Iterator[Asked]:
    """Each chat about a long text of its own, then short additions."""

    def begin(number: int) -> list[Any]:
        return [{"role": "user", "content": texts.of(number, first_bytes)}]

    def go_on(number: int, turn: int) -> list[Any]:
        more = texts.of((number, turn), more_bytes)
        return [{"role": "assistant", "content": ANSWER}, {"role": "user", "content": more}]

    return _turns(model, begin, go_on, rng, pace, max_tokens=lambda: max_tokens)


def rng_of(name: object) -> random.Random:
    return random.Random(repr(name))


def _turns(
    model: str,
    begin: Callable[[int], list[Any]],
    go_on: Callable[[int, int], list[Any]],
    rng: random.Random,
    pace: Pace,
    *,
    max_tokens: Callable[[], int],
) -> Iterator[Asked]:
    waiting: list[tuple[float, int, int, list[Any]]] = []  # heap: when, number of the chat, turn, messages
    at_s, number = 0.0, 0
    while True:
        at_s += rng.expovariate(pace.chats_per_s)
        while waiting and (waiting[0][0] <= at_s or at_s > pace.seconds):
            when, which, turn, messages = heapq.heappop(waiting)
            yield Asked(when, chat(model, messages, max_tokens()), 0)
            if turn + 1 < pace.turns:
                pause_s = pace.pause_s * rng.uniform(0.5, 1.5)
                heapq.heappush(waiting, (when + pause_s, which, turn + 1, [*messages, *go_on(which, turn + 1)]))
        if at_s > pace.seconds:
            return
        heapq.heappush(waiting, (at_s, number, 0, begin(number)))
        number += 1


def _said(pictures: Sequence[Any], text: str) -> dict[str, Any]:
    return {"role": "user", "content": [*pictures, {"type": "text", "text": text}]}


def _picture(name: str, rng: random.Random) -> dict[str, Any]:
    """The header of a PNG of some size: all that router and simulator read. `name` makes it another picture."""
    width, height = rng.randrange(400, 1100), rng.randrange(400, 1100)
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + name.encode()
    url = "data:image/png;base64," + base64.b64encode(png).decode()
    return {"type": "image_url", "image_url": {"url": url}}
