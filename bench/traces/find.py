"""A trace by its name: the file the user names, else a recorded one beside the repository, else generated chats.

No trace is part of the project: the recorded ones have their own licences and sizes. Whoever has them puts them into
`../shared/traces`; what was used is said in the trace's origin.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.traces import azure, jsonl, mooncake, servegen
from bench.traces.arrival import Arrival, faster, first
from bench.traces.generate import RATE, generate
from bench.traces.text import opened

FOLDER = Path(__file__).parents[2].parent / "shared" / "traces"
RECORDED = {
    "conversation": "mooncake/conversation_trace.jsonl.gz",
    "synthetic": "mooncake/synthetic_trace.jsonl.gz",
    "azure-conv": "azure/AzureLLMInferenceTrace_conv.csv.gz",
    "azure-code": "azure/AzureLLMInferenceTrace_code.csv.gz",
    "images": "servegen/mm-image.tar.gz",
}
GENERATED_REQUESTS = 12_031  # as many as the conversation trace has
Read = Callable[[Path, int], Iterator[Arrival]]


@dataclass(frozen=True, slots=True)
class Trace:
    """A stream of arrivals that can be had again for every seed."""

    name: str
    origin: str  # a sentence's part for the reader: which file, or that it is generated
    stream: Callable[[int], Iterator[Arrival]]  # by seed
    is_recorded: bool = True
    block_tokens: int = mooncake.BLOCK_TOKENS  # of the blocks that prompts share

    def at(self, factor: float) -> "Trace":
        """The same `factor` times as fast."""
        return replace(self, stream=lambda seed: faster(self.stream(seed), factor))

    def part(self, requests: int | None = None, seconds: float | None = None) -> "Trace":
        """Its first requests or seconds."""
        if requests is None and seconds is None:
            return self
        return replace(self, stream=lambda seed: first(self.stream(seed), requests, seconds))


def find(name: str, folder: Path = FOLDER, requests: int = GENERATED_REQUESTS) -> Trace:
    """A name of RECORDED, `generated`, or a path.

    Where a recorded trace is not at hand, `requests` generated chats stand in.
    Raises ValueError when a path that was named does not exist or is of no known kind.
    """
    if name in RECORDED:
        path = folder / RECORDED[name]
        if path.is_file():
            return Trace(name, f"{name}: recorded, {path}", partial(_reader(path), path))
        return _generated(name, f"{name}: generated chats, because {path} is not there", requests)
    if name == "generated":
        return _generated(name, "generated chats", requests)
    path = Path(name).expanduser()
    if not path.exists():
        known = ", ".join([*RECORDED, "generated"])
        raise ValueError(f"no trace {name!r}: neither a file nor one of {known}")
    reader = _reader(path)
    block_tokens = jsonl.block_tokens(path) if reader is jsonl.read else mooncake.BLOCK_TOKENS
    return Trace(path.name, f"{path}", partial(reader, path), block_tokens=block_tokens)


def _generated(name: str, origin: str, requests: int) -> Trace:
    return Trace(
        name,
        f"{origin} ({requests:,} requests, {RATE}/s before any speeding up)",
        lambda seed: first(generate(seed), requests),
        is_recorded=False,
    )


def _reader(path: Path) -> Read:
    """By the file's looks. Raises ValueError when it looks like nothing known."""
    name = path.name
    if path.is_dir() or name.endswith((".tar.gz", ".tgz", ".tar")):
        return servegen.read
    plain = name.removesuffix(".gz")
    if plain.endswith(".csv"):
        return azure.read
    if plain.endswith(".jsonl"):
        return mooncake.read if _has_hash_ids(path) else jsonl.read
    raise ValueError(f"{path}: a trace is .jsonl or .csv (also .gz), or a folder or tar of ServeGen's")


def _has_hash_ids(path: Path) -> bool:
    with opened(path) as lines:
        return "hash_ids" in lines.readline()
