"""Good inputs made bad: bytes exchanged, doubled, cut, joined with others; of JSON, whole values too."""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from tests.fuzz.seeds import WORDS

MAX_BYTES = 65_536  # of an input: what is slower than linear shows by then
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 10**40, 1.5, 1e308, "", "x", "\0", "\ud800", "a" * 300, [], {}, [[]], [None], {"": 0}),
    *(
        "data:image/png;base64,AAAA",
        "data:image/#0",
        "http://169.254.169.254/",
        "#",
        "#/$defs/c",
        "((((a+)+)+)+)+",
        "^(?=a)",
    ),
)


def mutate(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """One input more, of at most MAX_BYTES."""
    if data[:1] in b"{[" and rng.random() < 0.5:
        with suppress(ValueError, RecursionError):  # it is no JSON any more, or too deep for Python to write it
            data = _restructured(data, others, rng)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        data = rng.choice(_WAYS)(data, others, rng)
    return data[:MAX_BYTES]


def _place(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 1, 2, 4, 16, 64, 1_000)))


def _flip(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    start, _ = _place(data, rng)
    return data[:start] + bytes((rng.randrange(256),)) + data[start + 1 :]


def _cut(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _place(data, rng)
    return data[:start] + data[end:]


def _insert(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    start, _ = _place(data, rng)
    return data[:start] + rng.choice(WORDS) + data[start:]


def _double(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _place(data, rng)
    piece = data[start:end]
    times = rng.choice((2, 10, 100, MAX_BYTES // max(1, len(piece))))
    return data[:start] + piece * times + data[end:]


def _flood(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Words over and over: what is quadratic in anything is found so."""
    start, _ = _place(data, rng)
    piece = b"".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 4)))
    return data[:start] + piece * rng.choice((100, MAX_BYTES // len(piece))) + data[start:]


def _join(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    start, _ = _place(data, rng)
    from_, _ = _place(other, rng)
    return data[:start] + other[from_:]


_WAYS: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _flip,
    _cut,
    _insert,
    _double,
    _flood,
    _join,
)


def _restructured(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    root = [json.loads(data)]
    other = json.loads(rng.choice(others))
    for _ in range(rng.choice((1, 1, 2, 3))):
        holder, key = rng.choice(list(_places(root)))
        value: Any = rng.choice((*_VALUES, holder[key], other, *(holder2[key2] for holder2, key2 in _places([other]))))
        match rng.randrange(6):
            case 0:
                value = [value] * rng.choice((2, 50, 3_000))
            case 1:
                for _ in range(rng.choice((2, 30, 70, 900))):
                    value = rng.choice(([value], {"x": value}))
            case 2:
                value = {f"{key}{at}": value for at in range(rng.choice((3, 200, 3_000)))}
        if isinstance(holder, dict) and rng.random() < 0.3:
            holder[rng.choice(("", "x", "uuid", "$ref", "type", "enum", "tools", "chat_template"))] = value
        else:
            holder[key] = value
        if len(text := json.dumps(root)) > MAX_BYTES:
            return text[1:-1].encode()
        root = json.loads(text)  # values that stand in several places are one no more
    return json.dumps(root[0], ensure_ascii=rng.random() < 0.5).encode(errors="surrogatepass")


def _places(root: Any) -> list[tuple[Any, Any]]:
    """Every value's holder and key in it."""
    found, todo = [], [root]
    while todo and len(found) < 10_000:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                todo.append(holder[key])
    return found
