"""ServeGen's clients (github.com/alibaba/ServeGen): drawn traffic of measured production clients, images included.

A folder (or tar.gz) of pairs: `chunk-N-trace.csv`, windows of 600 s with a client's rate, the spread of its gaps
(Gamma or Weibull) and two parameters; `chunk-N-dataset.json`, per window of 6 h the measured shares of lengths. What
prompts share is not recorded.
"""

import ast
import io
import json
import re
import tarfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import accumulate
from pathlib import Path
from random import Random

from bench.traces.arrival import Arrival

_NAME = re.compile(r"chunk-(\d+)-(trace\.csv|dataset\.json)$")


class Drawn:
    """Whole numbers with given shares."""

    def __init__(self, shares: Mapping[int, float]) -> None:
        self._values = sorted(shares)
        self._until = list(accumulate(shares[value] for value in self._values))

    def __call__(self, rng: Random) -> int:
        at = bisect_right(self._until, rng.random() * self._until[-1])
        return self._values[min(at, len(self._values) - 1)]


@dataclass(frozen=True, slots=True)
class Window:
    """One client's arrivals for a while."""

    start_s: float
    rate: float  # requests/s
    kind: str  # Gamma or Weibull: how the gaps are spread; anything else: by lot (Poisson)
    shape: float
    scale: float

    def gap_s(self, rng: Random) -> float:
        """Until the next request."""
        if self.kind == "Gamma":
            return rng.gammavariate(self.shape, self.scale)
        if self.kind == "Weibull":
            return rng.weibullvariate(self.scale, self.shape)
        return rng.expovariate(self.rate)


@dataclass(frozen=True, slots=True)
class Lengths:
    """What one client's requests are like."""

    text: Drawn
    images: Drawn  # how many
    image: Drawn  # tokens of all images of a request
    output: Drawn


def read(path: Path, seed: int) -> Iterator[Arrival]:
    """All clients together. Raises ValueError when there is none in the folder."""
    clients = sorted(_clients(path).items())
    if not clients:
        raise ValueError(f"{path}: no client of ServeGen's in it")
    streams = [_client(trace, dataset, Random(f"{seed} {number}")) for number, (trace, dataset) in clients]
    return merge(*streams, key=lambda arrival: arrival.at_s)


def _clients(path: Path) -> Mapping[int, tuple[str, str]]:
    files: dict[tuple[int, str], str] = {}
    if path.is_dir():
        for each in path.rglob("chunk-*"):
            if match := _NAME.search(each.name):
                files[int(match[1]), match[2]] = each.read_text(encoding="utf-8")
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None and (match := _NAME.search(member.name)):
                    files[int(match[1]), match[2]] = io.TextIOWrapper(content, encoding="utf-8").read()
    numbers = {number for number, _ in files}
    return {
        number: (files[number, "trace.csv"], files[number, "dataset.json"])
        for number in numbers
        if (number, "trace.csv") in files and (number, "dataset.json") in files
    }


def _client(trace: str, dataset: str, rng: Random) -> Iterator[Arrival]:
    lengths = [(float(start), _lengths(row)) for start, row in json.loads(dataset).items()]
    lengths.sort(key=lambda pair: pair[0])
    starts = [start for start, _ in lengths]
    windows = [_window(line) for line in trace.splitlines() if line.strip()]
    for index, window in enumerate(windows):
        if window.rate <= 0 or not lengths:
            continue
        end_s = windows[index + 1].start_s if index + 1 < len(windows) else window.start_s + 600
        like = lengths[max(0, bisect_right(starts, window.start_s) - 1)][1]
        at_s = window.start_s + window.gap_s(rng) * rng.random()
        while at_s < end_s:
            yield _request(at_s, like, rng)
            at_s += window.gap_s(rng)


def _request(at_s: float, like: Lengths, rng: Random) -> Arrival:
    count, tokens = like.images(rng), like.image(rng)
    images = tuple(max(1, tokens // count) for _ in range(count)) if count and tokens else ()
    return Arrival(at_s, max(1, like.text(rng) + sum(images)), max(1, like.output(rng)), images=images)


def _window(line: str) -> Window:
    start, rate, _, kind, shape, scale = line.split(",")
    return Window(float(start), float(rate), kind, float(shape), float(scale))


def _lengths(row: Mapping[str, str]) -> Lengths:
    drawn = {name: Drawn(_shares(row.get(name, ""))) for name in ("text_tokens", "image_count", "image_tokens")}
    output = Drawn(_shares(row["output_tokens"]))
    return Lengths(drawn["text_tokens"], drawn["image_count"], drawn["image_tokens"], output)


def _shares(text: str) -> Mapping[int, float]:
    """`{50: 1.0}` as ServeGen writes it; nothing measured counts as none."""
    shares = ast.literal_eval(text or "{}")
    return {int(value): float(share) for value, share in shares.items()} or {0: 1.0}
