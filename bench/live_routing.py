"""Routing measured live: `python -m bench.live_routing`, under three minutes.

Simulated engines (or real ones, with --engines), the real router before them over HTTP, and requests sent when they are
due: the same ones under each balancing algorithm, each with a fresh router and empty caches.

1. A trace (Mooncake's conversations where they are at hand, else generated ones) on four simulated H200.
2. Chats with pictures: how much of the prompts was found in the engines' caches, and how much of that an index could
   have foretold that knows pictures, and one that knows text alone.

Nothing leaves this machine. Everything that was started ends with it, also on Ctrl-C.
"""

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvloop

from bench.live.chats import Pace, with_long_beginnings, with_pictures
from bench.live.client import Seen, send_all
from bench.live.figures import Figures, Goal, table
from bench.live.foretold import foretold
from bench.live.processes import MODEL, get, router, simulated
from bench.live.request import Asked, Texts, of_trace
from bench.processes import ChildFailed, cores
from bench.simulator.for_router import peak_rate, routing
from bench.simulator.settings import SimulatorSettings
from bench.traces.find import find

BALANCERS = ("round-robin", "least-request", "shadow-price")
LAG_S = 0.1  # of a simulated step's end, real; beyond it the figures are called doubtful
PICTURES = Pace(chats_per_s=2.0, turns=4, pause_s=12.0, seconds=50.0)  # in a run of the usual length
USUAL_S = 33.0 / 0.15  # of the engines' time
WARM_S = 1.5  # real; for the router to read the engines' metrics once
Make = Callable[[str], Iterable[Asked]]  # by salt: runs share no text


@dataclass(frozen=True, slots=True)
class Bench:
    """What all runs have in common."""

    folder: Path
    settings: SimulatorSettings
    engines: int
    more: dict[str, Any]  # of the router's configuration

    def run(self, balancer: str, make: Make) -> tuple[list[Seen], float]:
        """One algorithm on fresh engines behind a fresh router; the answers, and how far behind the machine was."""
        router_cores, other_cores = cores()
        fields = {"time_scale": self.settings.time_scale}
        with (
            simulated(self.folder, other_cores, self.engines, fields) as engines,
            router(self.folder, router_cores, engines.urls, self.settings.model, balancer, self.more) as address,
        ):
            time.sleep(WARM_S)
            seen = send(address, make(balancer), self.settings.time_scale)
            return seen, engines.lag_s()


def send(address: str, requests: Iterable[Asked], time_scale: float) -> list[Seen]:
    return uvloop.run(send_all(address, requests, time_scale))


def router_sections(settings: SimulatorSettings, *, sheds: bool) -> dict[str, Any]:
    """The router's settings, in the time of these engines."""
    scale = settings.time_scale
    admission: dict[str, Any] = {"saturated_s": None}
    if sheds:
        admission = {"first_token_s": Goal().first_s * scale, "saturated_s": scale}
    return {
        "routing": {**routing(settings), "slow_start": {"window_s": 0}},
        "probe": {"interval_s": max(0.1, scale)},
        "admission": admission,
        "deadlines": {"first_token_s": 300.0, "idle_s": 60.0, "total_s": 600.0},
    }


def trace_part(bench: Bench, given: argparse.Namespace) -> str:
    """The table of the trace under each algorithm."""
    seconds = given.seconds / given.time_scale
    trace = find(given.trace).at(given.speed * given.engines_count / 8).part(seconds=seconds)
    say(f"trace: {trace.origin}; {given.seconds:.0f} s each")
    rows: list[tuple[str, ...]] = []
    lags: dict[str, float] = {}
    goal = Goal(rate=peak_rate(bench.settings))
    for balancer in given.balancers:
        seen, lag_s = bench.run(balancer, lambda salt: of_trace(trace.stream(given.seed), MODEL, Texts(salt)))
        figures = Figures.of(seen, goal)
        say(f"{balancer}: {figures.good:.1%} good")
        rows.append(figures.row(balancer))
        lags[balancer] = lag_s
    head = (
        f"{given.engines_count} simulated {bench.settings.gpu.upper()}, trace {trace.name} as for 8 of them at "
        f"x{given.speed:g}, {seconds:.0f} s of it at {1 / given.time_scale:g} times the speed"
        + (", late ones refused" if given.shed else "")
    )
    return "\n".join([head, *doubts(lags), "", table(rows)])


def pictures_part(bench: Bench, given: argparse.Namespace) -> str:
    """Chats with pictures: found, and foretold."""

    length = given.seconds / given.time_scale / USUAL_S
    pace = replace(PICTURES, seconds=length * PICTURES.seconds)

    def make(salt: str) -> list[Asked]:
        return list(with_pictures(MODEL, Texts(salt), random.Random(given.seed), pace))

    goal = Goal(rate=peak_rate(bench.settings))
    rows: list[tuple[str, ...]] = []
    lags: dict[str, float] = {}
    prompt_tokens = 0
    for balancer in ("round-robin", "shadow-price"):
        seen, lag_s = bench.run(balancer, make)
        rows.append(Figures.of(seen, goal).row(balancer))
        lags[balancer] = lag_s
        prompt_tokens = sum(each.prompt_tokens for each in seen)
    shares = [foretold(make("foretold"), sees_pictures=sees) / max(1, prompt_tokens) for sees in (True, False)]
    head = f"Chats with pictures on {given.engines_count} engines, {PICTURES.turns} turns each"
    best = (
        f"What an index could foretell at best, of all prompt tokens: {shares[0]:.1%} if it knows pictures, as ours "
        f"does, and {shares[1]:.1%} if it knows text alone."
    )
    return "\n".join([head, *doubts(lags), "", table(rows), "", best])


def real_part(given: argparse.Namespace, folder: Path) -> str:
    """Real engines: chats with long beginnings; each algorithm has texts of its own, so no cache helps the next."""
    urls = given.engines.split(",")
    cards = [get(url, "/v1/models") for url in urls]
    if None in cards:
        raise ChildFailed(f"no engine answers at {urls[cards.index(None)]}")
    model, context = str(cards[0]["data"][0]["id"]), int(cards[0]["data"][0].get("max_model_len") or 4096)
    sample = Texts("sample").of(0, 4000)
    counted = get(urls[0], "/tokenize", {"model": model, "prompt": sample})
    per_token = len(sample) / counted["count"] if counted else 4.0
    pace = Pace(chats_per_s=given.rate / 4, turns=4, pause_s=6.0, seconds=max(1.0, given.seconds - 15.0))
    more = {"routing": {"slow_start": {"window_s": 0}}}

    def make(salt: str) -> Iterable[Asked]:
        return with_long_beginnings(
            MODEL,
            Texts(salt + str(time.time_ns())),
            random.Random(given.seed),
            pace,
            first_bytes=int(0.6 * context * per_token),
            more_bytes=int(0.03 * context * per_token),
            max_tokens=16,
        )

    router_cores, _ = cores()
    rows = []
    for balancer in given.balancers:
        with router(folder, router_cores, urls, model, balancer, more, context) as address:
            time.sleep(WARM_S)
            figures = Figures.of(send(address, make(balancer), 1.0), Goal())
        say(f"{balancer}: {figures.cached:.1%} of the prompts cached, {figures.first_mean_s:.2f} s to the first token")
        rows.append(figures.row(balancer))
    head = f"{len(urls)} real engines with {model}, chats of 4 turns about a text of {0.6 * context:.0f} tokens each"
    return "\n".join([head, "", table(rows)])


def doubts(lags: Mapping[str, float]) -> list[str]:
    """Lines for the runs in which something else kept the machine busy."""
    return [
        f"DOUBTFUL: {balancer}: the machine was too slow, a simulated step ended {lag_s:.2f} s late"
        for balancer, lag_s in lags.items()
        if lag_s > LAG_S
    ]


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.live_routing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--balancers", type=lambda text: text.split(","), default=None, help=f"(default: {','.join(BALANCERS)})"
    )
    parser.add_argument("--trace", default="conversation", help="a trace's name or file (default: %(default)s)")
    parser.add_argument(
        "--speed", type=float, default=2.0, help="of the trace, as if there were 8 engines (default: %(default)s)"
    )
    parser.add_argument("--engines-count", type=int, default=4, metavar="N", help="simulated (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=33.0, help="of each run, real (default: %(default)s)")
    parser.add_argument(
        "--time-scale", type=float, default=0.15, help="seconds for one of the engines' (default: %(default)s)"
    )
    parser.add_argument("--shed", action="store_true", help="let the router refuse what it cannot answer in 2 s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip", choices=("trace", "pictures"), help="leave that part out")
    parser.add_argument(
        "--engines", metavar="URL,URL", help="real engines instead: round-robin and shadow-price on long chats"
    )
    parser.add_argument("--rate", type=float, default=2.0, help="requests/s to real engines (default: %(default)s)")
    given = parser.parse_args(argv)
    if given.balancers is None:
        given.balancers = ["round-robin", "shadow-price"] if given.engines else list(BALANCERS)
    return given


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    given = arguments(argv)
    signal.signal(signal.SIGTERM, _stop)  # so that the children are stopped in order
    try:
        with tempfile.TemporaryDirectory(prefix="live-") as name:
            if given.engines:
                print(real_part(given, Path(name)))
                return 0
            settings = SimulatorSettings(time_scale=given.time_scale)
            bench = Bench(Path(name), settings, given.engines_count, router_sections(settings, sheds=given.shed))
            if given.skip != "trace":
                print(trace_part(bench, given), end="\n\n", flush=True)
            if given.skip != "pictures":
                print(pictures_part(bench, given), flush=True)
    except (ChildFailed, ValueError) as error:
        say(f"live_routing: {error}")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("live_routing: stopped")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
