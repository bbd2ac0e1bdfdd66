"""Your own traffic: one JSON object a line (broken in two here), in order of time.

    {"at": 12.5, "prompt_tokens": 1800, "output_tokens": 240,
     "hashes": [7, 9, 13], "block_tokens": 512, "images": [540]}

`at` in seconds; the last three may be missing. A hash names its block and all before it, so that equal hashes are equal
beginnings; any whole numbers or strings will do. `images`: prompt tokens of each image, which `prompt_tokens` includes.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import xxhash

from bench.traces.arrival import Arrival, chain
from bench.traces.text import opened

BLOCK_TOKENS = 512
_UINT64 = 2**64 - 1


def read(path: Path, seed: int) -> Iterator[Arrival]:
    """The whole file; `seed` changes nothing. Raises ValueError naming the line that cannot be understood."""
    began: float | None = None
    last = 0.0
    with opened(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                at, prompt, output = float(row["at"]), int(row["prompt_tokens"]), int(row["output_tokens"])
                hashes = tuple(_number(each) for each in row.get("hashes", ()))
                block = int(row.get("block_tokens", BLOCK_TOKENS))
                images = tuple(int(each) for each in row.get("images", ()))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"{path}, line {number}: not a request: {error!r}") from None
            began = at if began is None else began
            if at - began < last:
                raise ValueError(f"{path}, line {number}: comes before the line above it")
            last, prompt = at - began, max(1, prompt)
            if len(hashes) > -(-prompt // block):
                raise ValueError(f"{path}, line {number}: more hashes than blocks in the prompt")
            yield Arrival(last, prompt, max(1, output), chain(hashes, prompt, block), images)


def block_tokens(path: Path) -> int:
    """Of the file's first request; all are taken to be alike."""
    with opened(path) as lines:
        try:
            return int(json.loads(lines.readline()).get("block_tokens", BLOCK_TOKENS))
        except (ValueError, AttributeError):
            return BLOCK_TOKENS  # reading it will say what is wrong


def _number(value: int | str) -> int:
    return value & _UINT64 if isinstance(value, int) else xxhash.xxh3_64_intdigest(value.encode())
