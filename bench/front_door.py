"""What a crowd at the router's door costs everybody else: `python -m bench.front_door`, about two minutes.

Requests come at a rate, to the router and beside it straight to its cheap upstream; what the router adds to the time to
first token is measured in turns with nobody else there, with slow clients (slowloris) and with idle connections. The
router has one core; crowd, load and upstream share the others, so they take time from each other and not from the
router: what they lose is in both columns. Goals: less than 10 ms more at p99, less than 50 kB per connection.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import upstream
from bench.hostile import Held
from bench.jobs import Pace, Paced, Target
from bench.proc import Process
from bench.processes import ChildFailed, child, cores, tail
from bench.quantiles import quantile, spread
from bench.stack import Router, cheap_upstream, router, set_pace, slug

READY_S = 60.0
SPARE_FILES = 2_000
GOAL_MS = 10.0
GOAL_KB = 50.0
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Seen:
    """One window of one state."""

    p50_ms: float  # of the time to first token through the router
    p99_ms: float
    beside_p50_ms: float  # of the same requests to the upstream itself, in the same seconds
    beside_p99_ms: float
    kb_each: float | None  # resident memory per connection of the crowd
    cut: int  # connections of the crowd that the router ended


@dataclass(frozen=True, slots=True)
class Bench:
    folder: Path
    router_cores: Collection[int]
    other_cores: Collection[int]
    cheap: str
    per_s: float
    window_s: float

    def state(self, kind: str, number: int, seed: int) -> Seen:
        """A fresh router with that crowd at its door. Raises ChildFailed."""
        with router(self.folder, self.router_cores, self.cheap, None) as it:
            self._pace(it, 2.0, seed)  # everything is imported and warm
            before_mb = Process(it.pid).resident_mb()
            if kind == NOBODY:
                return self._seen(it, seed, None, 0)
            with self._crowd(kind, number, it) as crowd:
                each_kb = (Process(it.pid).resident_mb() - before_mb) * 1000 / number
                seen = self._seen(it, seed, each_kb, 0)
                assert crowd.stdin is not None
                output, _ = crowd.communicate(timeout=READY_S)
                held = msgspec.json.decode(output, type=Held)
            if kind == "idle" and held.open < number:
                raise ChildFailed(f"only {held.open} of {number} idle connections were kept")
            return Seen(seen.p50_ms, seen.p99_ms, seen.beside_p50_ms, seen.beside_p99_ms, each_kb, held.cut)

    @contextmanager
    def _crowd(self, kind: str, number: int, it: Router) -> Iterator[subprocess.Popen[bytes]]:
        log = self.folder / "crowd.log"
        argv = (kind, str(number), it.address)
        with child("bench.hostile", *argv, cores=self.other_cores, log=log, output=True) as process:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise ChildFailed(f"the crowd was not let in:\n{tail(log)}")
            yield process

    def _seen(self, it: Router, seed: int, kb_each: float | None, cut: int) -> Seen:
        through, beside = self._pace(it, self.window_s, seed)
        return Seen(
            quantile(through, 0.5), quantile(through, 0.99), quantile(beside, 0.5), quantile(beside, 0.99), kb_each, cut
        )

    def _pace(self, it: Router, window_s: float, seed: int) -> tuple[list[float], list[float]]:
        targets = [it.target(slug(upstream.MODEL)), Target(self.cheap, upstream.MODEL)]
        job = Pace(targets, self.per_s, warm_s=1.0, window_s=window_s, max_tokens=4, seed=seed)
        log = self.folder / "load.log"
        argument = msgspec.json.encode(job).decode()
        with child("bench.load", argument, cores=self.other_cores, log=log, output=True) as process:
            output, _ = process.communicate(timeout=window_s + 60.0)
        if process.returncode:
            raise ChildFailed(f"the load generator failed:\n{tail(log)}")
        result = msgspec.json.decode(output, type=Paced)
        if result.failures:
            raise ChildFailed(f"{len(result.failures)} requests failed, the first: {result.failures[0]}")
        through, beside = result.first_event_ms
        return through, beside


def table(results: Mapping[str, Sequence[Seen]]) -> str:
    """Markdown: a row per state, medians over the rounds, and what it adds to having nobody there."""
    head = (
        "at the door",
        "time to first token, p50 ms",
        "p99 ms",
        "beside the router, p99 ms",
        "added at p99, ms",
        "kB per connection",
        "cut off",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    alone = spread([seen.p99_ms for seen in results[NOBODY]]).median
    for name, rounds in results.items():
        p50, p99, beside = (
            spread([getattr(seen, field) for seen in rounds]) for field in ("p50_ms", "p99_ms", "beside_p99_ms")
        )
        sizes = [seen.kb_each for seen in rounds if seen.kb_each is not None]
        kb = f"{spread(sizes).median:.1f}" if sizes else ""
        added = "" if name == NOBODY else f"{p99.median - alone:+.2f}"
        cut = "" if name == NOBODY else f"{max(seen.cut for seen in rounds):,}"
        lines.append(
            f"| {name} | {p50.median:.2f} | {p99.median:.2f} ({p99.least:.2f} to {p99.most:.2f}) | {beside.median:.2f} "
            f"| {added} | {kb} | {cut} |"
        )
    lines.append(f"\ngoals: less than {GOAL_MS:g} ms added, less than {GOAL_KB:g} kB per connection")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.front_door", description=__doc__)
    parser.add_argument("--slow", type=int, default=1_000, help="slow clients (default: %(default)s)")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=50.0, help="other clients' requests/s (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each window, at most 60 (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions (default: %(default)s)")
    given = parser.parse_args()
    if given.rounds < 1 or given.slow < 1 or given.idle < 1:
        parser.error("--rounds, --slow and --idle must be at least 1")
    if not 0 < given.seconds <= 60:
        parser.error("--seconds must be above 0 and at most 60: idle connections end after 75 s")
    return given


def main() -> int:
    given = arguments()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < max(given.idle, given.slow) * 4 / 3 + SPARE_FILES:
        print(f"bench: {most} open files are too few for {given.idle} connections (ulimit -Hn)", file=sys.stderr)
        return 1
    router_cores, other_cores = cores()
    states = {NOBODY: 0, "slow": given.slow, "idle": given.idle}
    results: dict[str, list[Seen]] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            with cheap_upstream(folder, other_cores) as cheap:
                set_pace(cheap, 0.001)
                bench = Bench(folder, router_cores, other_cores, cheap, given.rate, given.seconds)
                for number in range(1, given.rounds + 1):
                    started = time.monotonic()
                    for kind, crowd in states.items():
                        label = NOBODY if kind == NOBODY else f"{crowd:,} {kind}"
                        results.setdefault(label, []).append(bench.state(kind, crowd, number))
                    took_s = time.monotonic() - started
                    print(f"round {number} of {given.rounds}: {took_s:.0f} s", file=sys.stderr, flush=True)
    except ChildFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
