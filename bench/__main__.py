"""What the router costs, measured on this machine: `python -m bench`, about three minutes.

The router runs on one core, the load and a cheap upstream on the others; three rounds, medians. Docs: performance.md.
"""

import argparse
import json
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from bench.measure import Bench, Failed
from bench.proc import busy_share
from bench.processes import ChildFailed, cores
from bench.quantiles import spread
from bench.report import Figure, table
from bench.stack import Engine, cheap_upstream, served_model

OPEN_FILES = 8192  # 1,000 streams take two sockets each in the router
BUSY = 0.05  # share of the machine that others may use before the figures are called doubtful


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--engine", metavar="URL", help="also measure in front of this engine, e.g. http://127.0.0.1:30000"
    )
    parser.add_argument("--model", help="the model to ask that engine for (default: the first it serves)")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every round's figures there")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    if given.model and not given.engine:
        parser.error("--model is the engine's: give --engine as well")
    return given


def engine_at(url: str, model: str | None) -> Engine:
    """Raises ValueError when the URL cannot be used, ChildFailed when nobody answers there."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None or parts.path not in ("", "/"):
        raise ValueError(f"--engine must look like http://host:port, got {url}")
    address = f"{parts.hostname}:{parts.port or 80}"
    return Engine(address, model or served_model(address))


def machine_load(seconds: float) -> float:
    """Share of all cores that is in use while this process sleeps."""
    before = Path("/proc/stat").read_text()
    time.sleep(seconds)
    return busy_share(before, Path("/proc/stat").read_text())


def commit() -> str:
    """What is measured, as Git names it."""
    with suppress(OSError, subprocess.CalledProcessError):
        folder = Path(__file__).parent
        argv = ["git", "describe", "--always", "--dirty=, with uncommitted changes", "--exclude=*"]
        return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    return "unknown (no Git checkout)"


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(bench: Bench, rounds: int) -> list[Mapping[Figure, float]]:
    results: list[Mapping[Figure, float]] = []
    for number in range(1, rounds + 1):
        started = time.monotonic()
        results.append(bench.round(number))
        say(f"round {number} of {rounds}: {time.monotonic() - started:.0f} s")
    return results


def report(results: Sequence[Mapping[Figure, float]], load: float, engine: Engine | None) -> str:
    router_cores, other_cores = cores()
    others = ", ".join(map(str, other_cores))
    lines = [
        f"commit {commit()}, {datetime.now(UTC):%d %B %Y %H:%M} UTC, Python {platform.python_version()}, {processor()}",
        f"router on core {router_cores[0]}, everything else on {others}; rounds: {len(results)}",
    ]
    if engine is not None:
        lines.append(f"engine: {engine.model} at {engine.address}")
    if load > BUSY:
        lines.append(f"DOUBTFUL: before the run others kept {load:.0%} of the machine busy")
    if router_cores == other_cores:
        lines.append("DOUBTFUL: there is only one core, so the router and its load disturb each other")
    figures = {figure: spread([result[figure] for result in results]) for figure in results[0]}
    return "\n".join([*lines, "", table(figures)])


def _stop(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def main() -> int:
    given = arguments()
    signal.signal(signal.SIGTERM, _stop)  # so that the children are stopped in order
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    try:
        engine = engine_at(given.engine, given.model) if given.engine else None
        load = machine_load(1.0)
        router_cores, other_cores = cores()
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            with cheap_upstream(folder, other_cores) as cheap:
                results = measure(Bench(folder, router_cores, other_cores, cheap, engine), given.rounds)
    except (ChildFailed, Failed, ValueError) as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped")
        return 130
    print(report(results, load, engine))
    if given.json:
        given.json.write_text(json.dumps([{f.name.lower(): v for f, v in r.items()} for r in results], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
