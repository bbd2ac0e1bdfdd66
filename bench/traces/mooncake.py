"""Mooncake's traces (github.com/kvcache-ai/Mooncake, FAST'25): real chats with their shared prefixes.

A line: {"timestamp": ms, "input_length": tokens, "output_length": tokens, "hash_ids": one per 512-token block}. An id
stands for its block and all before it. Some files have their times rounded to 3 s, where up to 28 requests fall on one
instant; such times are spread over the 3 s by lot.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.traces.arrival import Arrival, chain
from bench.traces.text import opened

BLOCK_TOKENS = 512
ROUNDED_S = 3.0
_ROUNDED_SHARE = 0.5  # of requests that come at the same instant as another; from here on times count as rounded


def read(path: Path, seed: int) -> Iterator[Arrival]:
    """The whole file in order of time. Raises ValueError naming the line that cannot be understood."""
    rows: list[tuple[float, int, int, tuple[int, ...]]] = []
    with opened(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                rows.append(
                    (row["timestamp"] / 1000, row["input_length"], row["output_length"], tuple(row["hash_ids"]))
                )
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: not a request of Mooncake's: {error!r}") from None
    rng = Random(seed)
    distinct = len({row[0] for row in rows})
    spread_s = ROUNDED_S if distinct < _ROUNDED_SHARE * len(rows) else 0.0
    times = sorted((at_s + rng.uniform(0, spread_s), index) for index, (at_s, *_) in enumerate(rows))
    for at_s, index in times:
        _, prompt, output, hashes = rows[index]
        prompt = max(1, prompt)
        yield Arrival(at_s, prompt, max(1, output), chain(hashes, prompt, BLOCK_TOKENS))
