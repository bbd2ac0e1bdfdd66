"""How many requests stay good, by balancing algorithm: `python -m bench.routing`, some minutes.

A fleet in virtual time: recorded traffic, the router's own policies (router/policy, unchanged), engines with measured
step times (Mistral Small 3.1 24B). Good is a request whose first token comes within max(2 s, twice what its prompt
takes on an idle engine) and whose tokens then follow within 100 ms each on average; shares are of all requests offered.
Three tables: every algorithm alone; several routers that hear each other, or do not; overload with shedding. A fourth
on demand (`--tables scale`, about half an hour): a thousand replicas and a million requests.
Docs: routing.md.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import get_args

from bench.fleet.gossip import Several
from bench.fleet.router import Policy
from bench.fleet.simulate import Fleet, simulate
from bench.fleet.tally import Result
from bench.fleet.work import Work, run_all
from bench.physics.hardware import hardware
from bench.traces.arrival import Arrival, first
from bench.traces.find import FOLDER, find
from bench.traces.generate import RATE, generate
from router.policy.admission import AdmissionSettings
from router.policy.balancers import Name
from router.policy.forecast import ForecastSettings

BALANCERS: tuple[Name, ...] = get_args(Name)  # the default first
FAST_S = 0.05  # a stricter promise of pace, for one column
SHEDDING = AdmissionSettings(first_token_s=2.0)


@dataclass(frozen=True, slots=True)
class Column:
    """One load on one fleet."""

    title: str
    work: Work
    pace_s: float | None = None  # judged by this pace instead of the promise's
    is_quick: bool = True
    is_shown: bool = False  # in the second table


def columns(folder: Path) -> list[Column]:
    """As in the issue this is to show: 8 x H200, and 4 replicas of two H100 each."""
    conversation = Work("conversation", 2.25, paces=(FAST_S,), folder=folder)
    return [
        Column("conversation ×1.5", replace(conversation, factor=1.5), is_quick=False),
        Column("conversation ×2.0", replace(conversation, factor=2.0)),
        Column("conversation ×2.25", conversation, is_shown=True),
        Column("×2.25, TPOT ≤ 50 ms", conversation, FAST_S),
        Column("synthetic ×2.0", Work("synthetic", 2.0, folder=folder)),
        Column("Azure ×11", Work("azure-conv", 11.0, folder=folder), is_quick=False),
        Column(
            "4×H100 TP2, conv. ×1.75",
            replace(conversation, factor=1.75, kind="h100", tp=2, replicas=4),
            is_quick=False,
        ),
    ]


def routers(folder: Path) -> list[tuple[str, Work]]:
    """One router and several, at conversation x2.0."""
    one = Work("conversation", 2.0, folder=folder)
    loss = 0.01
    return [
        ("1 router", one),
        ("4 routers, 50 ms, 1 % loss", replace(one, routers=Several(4, loss=loss))),
        ("16 routers, 50 ms, 1 % loss", replace(one, routers=Several(16, loss=loss))),
        ("4 routers, bus down", replace(one, routers=Several(4, has_bus=False))),
    ]


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.routing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one seed, fewer columns and routers: a minute")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each cell (default: %(default)s)")
    parser.add_argument("--traces", type=Path, default=FOLDER, help="folder of recorded traces (default: %(default)s)")
    parser.add_argument(
        "--index",
        choices=["events", "sent"],
        default="events",
        help="what the algorithms know of the engines' caches: told by KV events (the default; the peers gain most "
        "by it), or what was sent there",
    )
    parser.add_argument(
        "--rates",
        choices=["known", "learned"],
        default="known",
        help="whether the routers are told the engines' prompt tokens per second or learn them (default: %(default)s)",
    )
    parser.add_argument(
        "--tables", default="balancers,routers,overload", help="which, also: scale (default: %(default)s)"
    )
    parser.add_argument("--replicas", type=int, default=1000, help="in the table scale (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=1_000_000, help="in the table scale (default: %(default)s)")
    parser.add_argument("--processes", type=int, help="at once (default: as many as there are cores)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every run's figures there")
    given = parser.parse_args(argv)
    if given.seeds < 1:
        parser.error("--seeds must be at least 1")
    unknown = set(given.tables.split(",")) - {"balancers", "routers", "overload", "scale"}
    if unknown:
        parser.error(f"--tables: there is no {', '.join(sorted(unknown))}")
    return given


def cell(values: Sequence[float]) -> str:
    """Mean and standard deviation, in percent."""
    spread = f" ±{100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * fmean(values):.1f}{spread}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Bench:
    """Runs what the tables need, each run once."""

    def __init__(
        self, seeds: int, processes: int | None, say: Callable[[str], None], *, is_calibrated: bool = True
    ) -> None:
        self._is_calibrated = is_calibrated
        self._seeds = seeds
        self._processes = processes
        self._say = say
        self.results: dict[Work, Result] = {}

    def seeded(self, work: Work) -> list[Work]:
        return [replace(work, seed=seed, is_calibrated=self._is_calibrated) for seed in range(self._seeds)]

    def run(self, works: Sequence[Work]) -> None:
        wanted = [each for work in works for each in self.seeded(work) if each not in self.results]
        wanted = list(dict.fromkeys(wanted))
        began = time.monotonic()
        for number, (work, result) in enumerate(run_all(wanted, self._processes), 1):
            self.results[work] = result
            passed = time.monotonic() - began
            self._say(
                f"{number} of {len(wanted)}, {passed:.0f} s: {work.policy.balancer}, {work.trace} ×{work.factor:g}, "
                f"{work.routers.count} router(s), seed {work.seed}: {result.goodput:.1%} good"
            )

    def of(self, work: Work) -> list[Result]:
        return [self.results[each] for each in self.seeded(work)]


def balancers_table(bench: Bench, cols: Sequence[Column], *, is_exact: bool) -> Iterator[str]:
    """Every algorithm on every column."""

    def work(column: Column, name: Name) -> Work:
        return replace(column.work, policy=Policy(balancer=name, is_exact=is_exact))

    bench.run([work(column, name) for name in BALANCERS for column in cols])
    rows = []
    for name in BALANCERS:
        cells = []
        for column in cols:
            results = bench.of(work(column, name))
            shares = [each.goodput if column.pace_s is None else each.good_at_pace[column.pace_s] for each in results]
            cells.append(cell(shares))
        rows.append([name, *cells])
    yield "Good requests, % of all offered (mean ± standard deviation over the seeds)"
    yield ""
    yield markdown(["", *(column.title for column in cols)], rows)
    rows = []
    shown = next((column for column in cols if column.is_shown), cols[0])
    for name in BALANCERS:
        results = bench.of(work(shown, name))
        firsts, paces = (
            [fmean(each.first_token_s[i] for each in results) for i in range(3)],
            [1000 * fmean(each.pace_s[i] for each in results) for i in range(3)],
        )
        decision = max(each.decision_s[1] for each in results)
        rows.append(
            [
                name,
                f"{fmean(each.mean_first_token_s for each in results):.2f}",
                *(f"{value:.2f}" for value in firsts),
                *(f"{value:.0f}" for value in paces),
                f"{100 * fmean(each.hit for each in results):.1f}",
                f"{1e6 * fmean(each.decision_s[0] for each in results):.0f}",
                f"{1e6 * decision:.0f}",
                str(sum(each.lost for each in results)),
            ]
        )
    yield ""
    yield f"More of {shown.title}"
    yield ""
    yield markdown(
        [
            "",
            "TTFT mean s",
            "p50",
            "p90",
            "p99",
            "TPOT p50 ms",
            "p90",
            "p99",
            "cached %",
            "decision p50 CPU µs",
            "p99",
            "lost",
        ],
        rows,
    )


def routers_table(bench: Bench, cases: Sequence[tuple[str, Work]]) -> Iterator[str]:
    """Several routers; what the engines hold is known by what was sent there, which is the harder case."""
    both = [(title, replace(work, policy=Policy(is_exact=exact))) for title, work in cases for exact in (False, True)]
    bench.run([work for _, work in both])
    rows = []
    for title, work in cases:
        row = [title]
        for exact in (False, True):
            results = bench.of(replace(work, policy=Policy(is_exact=exact)))
            row += [cell([each.goodput for each in results])]
        rows.append([*row, str(sum(each.lost for each in results))])
    yield "Several routers, conversation ×2.0, shadow-price: good, % of all offered"
    yield ""
    yield markdown(["", "index by what was sent", "index by KV events", "lost"], rows)


def overload_table(bench: Bench, folder: Path, requests: int | None = None) -> Iterator[str]:
    """Shedding at x2.5, beside no shedding, and an easy load for the time of decisions."""
    base = Work("conversation", 2.5, folder=folder, requests=requests)
    cases = [
        ("×2.5, shedding", replace(base, policy=Policy(admission=SHEDDING))),
        ("×2.5, all taken", base),
        ("×2.5, all taken, round-robin", replace(base, policy=Policy(balancer="round-robin"))),
        ("×1.5, all taken", replace(base, factor=1.5)),
    ]
    bench.run([work for _, work in cases])
    rows = []
    for title, work in cases:
        results = bench.of(work)
        rows.append(
            [
                title,
                cell([each.goodput for each in results]),
                cell([each.shed_share for each in results]),
                f"{fmean(each.first_token_s[2] for each in results):.1f}",
                f"{1e6 * fmean(each.decision_s[0] for each in results):.0f}",
                f"{1e6 * fmean(each.decision_s[1] for each in results):.0f}",
                str(max(each.most_waiting for each in results)),
                str(sum(each.lost for each in results)),
            ]
        )
    yield "Overload, shadow-price (conversation, index by what was sent)"
    yield ""
    yield markdown(
        ["", "good %", "refused %", "TTFT p99 s", "decision p50 CPU µs", "p99", "most waiting in the router", "lost"],
        rows,
    )


def scale_table(replicas: int, requests: int, tell_progress: Callable[[str], None]) -> Iterator[str]:
    """A large fleet on generated chats, at the load per replica of conversation x1.5: how long it takes, and memory."""
    on = hardware("h200")
    policy = Policy(forecast=ForecastSettings(prefill_tokens_per_s=on.peak_rate(2048)))
    began = time.monotonic()

    def counted() -> Iterator[Arrival]:
        for number, arrival in enumerate(first(generate(0, rate=1.5 * RATE * replicas / 8), requests)):
            if number and not number % 20_000:
                passed_s = time.monotonic() - began
                tell_progress(f"{number:,} of {requests:,} requests, {passed_s:.0f} s, {_resident_mb():.0f} MB")
            yield arrival

    result = simulate(Fleet(on, replicas), counted(), policy)
    yield f"{replicas:,} replicas, {requests:,} generated requests in {result.span_s:,.0f} virtual seconds, one core"
    yield ""
    yield markdown(
        ["good %", "lost", "took s", "resident MB", "blocks in the index", "decision p50 CPU µs", "p99"],
        [
            [
                f"{100 * result.goodput:.1f}",
                str(result.lost),
                f"{time.monotonic() - began:.0f}",
                f"{_resident_mb():.0f}",
                f"{result.index_blocks:,}",
                f"{1e6 * result.decision_s[0]:.0f}",
                f"{1e6 * result.decision_s[1]:.0f}",
            ]
        ],
    )


def _resident_mb() -> float:
    """At the most, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def tell(lines: Iterable[str]) -> None:
    print("\n".join(lines) + "\n", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    given = arguments(argv)
    folder: Path = given.traces
    cols, cases = columns(folder), routers(folder)
    if given.quick:
        cols = [column for column in cols if column.is_quick]
        cases = [(title, work) for title, work in cases if work.routers.count < 16]
    bench = Bench(1 if given.quick else given.seeds, given.processes, say, is_calibrated=given.rates == "known")
    tables = given.tables.split(",")
    began = time.monotonic()
    try:
        names = dict.fromkeys(column.work.trace for column in cols) if "balancers" in tables else ["conversation"]
        print("Traffic:")
        for name in names:
            print(f"- {find(name, folder).origin}")
        print(f"Caches in the first table: known by {given.index}; engines' speed: {given.rates}\n", flush=True)
        if "balancers" in tables:
            tell(balancers_table(bench, cols, is_exact=given.index == "events"))
        if "routers" in tables:
            tell(routers_table(bench, cases))
        if "overload" in tables:
            tell(overload_table(bench, folder))
        if "scale" in tables:
            tell(scale_table(given.replicas, given.requests, say))
    except ValueError as error:
        say(f"bench.routing: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench.routing: stopped")
        return 130
    if bench.results:
        print(f"{len(bench.results)} runs in {time.monotonic() - began:.0f} s")
    if given.json:
        given.json.write_text(json.dumps([_record(*pair) for pair in bench.results.items()], indent=2) + "\n")
    return 0


def _record(work: Work, result: Result) -> dict[str, object]:
    return {
        "trace": work.trace,
        "factor": work.factor,
        "hardware": f"{work.replicas}x{work.kind}-tp{work.tp}",
        "balancer": work.policy.balancer,
        "exact": work.policy.is_exact,
        "routers": work.routers.count,
        "bus": work.routers.has_bus,
        "seed": work.seed,
        "goodput": result.goodput,
        "good_at_pace": {str(pace): share for pace, share in result.good_at_pace.items()},
        "shed": result.shed_share,
        "lost": result.lost,
        "first_token_s": result.first_token_s,
        "pace_s": result.pace_s,
        "hit": result.hit,
        "decision_s": result.decision_s,
    }


if __name__ == "__main__":
    sys.exit(main())
