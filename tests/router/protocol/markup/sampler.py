"""Random texts of a grammar in GBNF, so that what it allows can be seen and read.

Reads what `router.protocol.markup` writes: literals, sets, groups, rules' names and repetitions.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\w+|\{[\d,]+\}|[()|?*+])')
_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|U[0-9a-f]{8}|.)")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}
_FEW = 3  # repetitions beyond the least, mostly

Sample = Callable[[random.Random], str]


@dataclass(slots=True)
class _Tokens:
    left: list[str]

    def peek(self) -> str:
        return self.left[-1] if self.left else ""

    def take(self) -> str:
        return self.left.pop()


def sampler(grammar: str) -> Sample:
    """A function that makes a text."""
    rules: dict[str, Sample] = {}
    for line in grammar.split("\n"):
        name, _, body = line.partition(" ::= ")
        tokens = _TOKEN.findall(body)
        assert "".join(tokens) == re.sub(r"\s", "", body) or '"' in body or "[" in body
        source = _Tokens(tokens[::-1])
        rules[name] = _alternatives(source, rules)
        assert not source.left, (line, source.left)
    return rules["root"]


def _alternatives(source: _Tokens, rules: dict[str, Sample]) -> Sample:
    found = [_sequence(source, rules)]
    while source.peek() == "|":
        source.take()
        found.append(_sequence(source, rules))
    return found[0] if len(found) == 1 else lambda rng: rng.choice(found)(rng)


def _sequence(source: _Tokens, rules: dict[str, Sample]) -> Sample:
    found: list[Sample] = []
    while source.peek() not in ("", "|", ")"):
        found.append(_repeated(_atom(source, rules), source))
    assert found
    return lambda rng: "".join(each(rng) for each in found)


def _atom(source: _Tokens, rules: dict[str, Sample]) -> Sample:
    token = source.take()
    if token == "(":
        inner = _alternatives(source, rules)
        assert source.take() == ")"
        return inner
    if token[0] == '"':
        text = _unescaped(token[1:-1])
        return lambda rng: text
    if token[0] == "[":
        ranges = _ranges(token[1:-1])
        return lambda rng: _character(ranges, rng)
    return lambda rng: rules[token](rng)


def _repeated(item: Sample, source: _Tokens) -> Sample:
    token = source.peek()
    if token == "" or token[0] not in "?*+{":
        return item
    source.take()
    least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(token, (0, None))
    if token[0] == "{":
        low, comma, high = token[1:-1].partition(",")
        least, most = int(low), int(high) if high else None if comma else int(low)

    def sample(rng: random.Random) -> str:
        bound = least + _FEW if most is None else most if rng.random() < 0.2 else min(most, least + _FEW)
        return "".join(item(rng) for _ in range(rng.randint(least, bound)))

    return sample


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        escape = found[1]
        return chr(int(escape[1:], 16)) if len(escape) > 1 else _PLAIN.get(escape, escape)

    return _ESCAPE.sub(one, text)


def _ranges(written: str) -> list[tuple[int, int]]:
    assert written[0] != "^"
    codes = [_unescaped(each) for each in re.findall(r"\\(?:u[0-9a-f]{4}|U[0-9a-f]{8}|.)|.", written)]
    marks = [len(each) == 1 and each == "-" for each in re.findall(r"\\(?:u[0-9a-f]{4}|U[0-9a-f]{8}|.)|.", written)]
    ranges, index = [], 0
    while index < len(codes):
        if index + 2 < len(codes) and marks[index + 1]:
            ranges.append((ord(codes[index]), ord(codes[index + 2])))
            index += 3
        else:
            ranges.append((ord(codes[index]), ord(codes[index])))
            index += 1
    return ranges


def _character(ranges: list[tuple[int, int]], rng: random.Random) -> str:
    low, high = rng.choice(ranges)
    return chr(rng.choice((low, high, rng.randint(low, high))))
