"""One engine on a real card beside what is foretold of it: `python -m bench.engine_on_gpu --preset h200`.

The engine is vLLM's own server with the arguments that a deployment file leads to (`serving.engine`), on this machine,
without Ray and without a router. Memory is what vLLM says of itself as it starts, beside `serving.memory`; time is what
a client on the same machine sees over HTTP, beside the engine simulator's hardware (`bench.physics`), which knows of no
HTTP. Random weights take the time and the memory of trained ones; their answers mean nothing.

Needs the card, vLLM and, for random weights, mistral-common; tens of gigabytes of nothing are made, none are fetched.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.on_gpu.course import Load, measure
from bench.on_gpu.random_weights import random_weights
from bench.on_gpu.rows import Row, line, memory_rows
from bench.on_gpu.server import said, server
from bench.physics.hardware import KINDS, hardware
from bench.processes import ChildFailed, tail
from serving import architecture as shapes
from serving.architecture import Architecture
from serving.config import ConfigError, Deployment, from_args
from serving.engine import Engine, memory_of, resolve
from serving.memory import Footprint
from serving.profiles import find


def foretell(deployment: Deployment, engine: Engine, shape: Architecture) -> tuple[Footprint, float] | None:
    """What `serving.memory` says of the engine, and bytes of KV cache a token and card; None without a card."""
    card = find(deployment.model, deployment.preset)[1].card
    return None if card is None else memory_of(shape, card, engine.arguments)


def options(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine_on_gpu", description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", default="mistral-small-3.1-24b", help="profile (default: %(default)s)")
    parser.add_argument("--preset", required=True, help="the profile's hardware preset")
    parser.add_argument("--source", help="folder of the weights, instead of the profile's")
    parser.add_argument("--random-weights", action="store_true", help="the profile's shape with random weights")
    parser.add_argument("--engine", default="{}", type=json.loads, metavar="JSON", help="more of vLLM's arguments")
    parser.add_argument("--hardware", choices=KINDS, help="of the simulator, to compare with")
    parser.add_argument(
        "--prompts", type=_numbers, default=(512, 2048, 8192, 32768), metavar="N,N", help="lengths in tokens"
    )
    parser.add_argument("--streams", type=_numbers, default=(1, 8, 32, 64, 128), metavar="N,N", help="at once")
    parser.add_argument("--stream-prompt", type=int, default=2048, metavar="N", help="tokens of each (default: 2048)")
    parser.add_argument("--stream-tokens", type=int, default=96, metavar="N", help="of each answer (default: 96)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each prompt; the median counts")
    parser.add_argument("--start-timeout", type=float, default=900.0, metavar="S", help="for the engine to be healthy")
    parser.add_argument("--log", type=Path, help="file for the engine's log (default: one in a temporary folder)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args(argv)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def main(argv: Sequence[str]) -> int:
    """Status 1 when there is no such engine, or it failed."""
    asked = options(argv)
    with tempfile.TemporaryDirectory(prefix="engine-on-gpu-") as folder:
        log = asked.log or Path(folder) / "engine.log"
        try:
            _run(asked, Path(folder), log)
        except (ConfigError, ChildFailed) as error:
            print(f"engine_on_gpu: {error}", file=sys.stderr)
            print(tail(log, 40) if log.exists() else "", file=sys.stderr)
            return 1
    return 0


def _run(asked: argparse.Namespace, folder: Path, log: Path) -> None:
    profile, _ = find(asked.model, asked.preset)
    source, more = asked.source or profile.source, dict(asked.engine)
    if asked.random_weights:
        if profile.architecture is None:
            raise ConfigError(f"{asked.model} has its shape from its weights: leave --random-weights out")
        random_weights(profile.architecture, folder)
        source, more = str(folder), more | {"load_format": "dummy"}
    deployment = from_args({"model": asked.model, "preset": asked.preset, "source": source, "engine": more})
    engine = resolve(deployment)
    shape = profile.architecture or shapes.read(source)
    card = hardware(asked.hardware, engine.arguments["tensor_parallel_size"]) if asked.hardware else None
    load = Load(asked.prompts, asked.streams, asked.stream_prompt, asked.stream_tokens, asked.rounds)
    print("| what | unit | measured | foretold | measured / foretold |\n|---|---|---|---|---|", flush=True)
    with server(engine, log, asked.start_timeout) as (url, started_s):
        logged = said(log.read_text())
        rows = [Row("start to healthy", "s", started_s)]
        if (foretold := foretell(deployment, engine, shape)) is not None:
            rows += memory_rows(logged, *foretold)
        for row in rows:
            print(line(row), flush=True)
        if asked.json:
            asked.json.write_text(json.dumps({"log": logged, "rows": [asdict(row) for row in rows]}, indent=1))
        rows += asyncio.run(measure(url, engine, load, card, shape))
    if asked.json:
        asked.json.write_text(json.dumps({"log": logged, "rows": [asdict(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
