"""`tramontane plan`: how many GPUs of which kind for this load and this promise?"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from deploy.cli.screen import table
from deploy.problem import Problem

if TYPE_CHECKING:
    from bench.fleet.sizing import Size
    from bench.fleet.tally import Result
    from bench.fleet.work import Work

DESCRIPTION = """\
How many GPUs of which kind does a load need? Simulates the fleet in virtual time: your traffic, the router's own
policies, engines with measured step times (Mistral Small 3.1 24B in bf16 under vLLM). Searches for each kind of
GPU the smallest fleet with which the wanted share of requests is good, and prints what it would be like. Needs no
GPU; takes seconds to a few minutes. The same seed gives the same table.

examples:
  tramontane plan                                            recorded chats if they are at hand, else generated ones
  tramontane plan --speed 3 --good 0.99 --plot plan.png      three times the load, 99 % good, with a picture
  tramontane plan --trace mine.jsonl --kind h100=2.1 --kind h100x2=2.1 --kind a100=1.2
  tramontane plan --policy shadow-price --policy least-request    what routing is worth, in GPUs
  tramontane plan --kind h200=3.5 --first-token 1 --pace 0.05     a stricter promise

your own traffic, one request a line (.jsonl or .jsonl.gz), in order of time; the last three fields may be missing:
  {"at": 12.5, "prompt_tokens": 1800, "output_tokens": 240, "hashes": [7, 9], "block_tokens": 512, "images": [540]}
at: seconds; hashes: one per block of the prompt, each standing for that block and all before it, so that equal
hashes are equal beginnings; images: prompt tokens of each image. Also read: Mooncake's .jsonl, Azure's .csv and
ServeGen's folders. Beside the repository, in ../shared/traces: conversation, synthetic, azure-conv, azure-code,
images. `generated`: chats made by lot, with the statistics of Mooncake's conversations.

a request is good when its first token comes within max(--first-token, --own times what its prompt takes on an idle
engine), and the tokens after it within --pace seconds each, on average.
"""
KINDS = ("h100", "h200", "a100")
# USD per GPU and hour, only so that there is something to compare: give your own with --kind
PRICES = ("h100=2.50", "h200=3.50", "a100=1.50")
HEAD = (
    "HARDWARE",
    "POLICY",
    "REPLICAS",
    "GPUS",
    "USD/H",
    "GOOD",
    "TTFT p50/p99",
    "TPOT p50/p99",
    "CACHED",
    "REFUSED",
    "USD/M TOKENS",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """GPUs to plan with."""

    name: str  # one of KINDS
    tp: int  # GPUs of one replica
    usd: float  # per GPU and hour

    @property
    def label(self) -> str:
        return self.name if self.tp == 1 else f"{self.name} x{self.tp}"


@dataclass(frozen=True, slots=True)
class Task:
    """One search, to be done in a process of its own."""

    label: str
    work: "Work"
    goodput: float
    most: int

    def run(self) -> "Size":
        from bench.fleet.sizing import smallest

        def tell(work: "Work", result: "Result") -> None:
            print(
                f"{self.label}, {work.policy.balancer}: {work.replicas} replicas, {result.goodput:.1%} good",
                file=sys.stderr,
                flush=True,
            )

        return smallest(self.work, self.goodput, self.most, tell)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    load = parser.add_argument_group("the load")
    load.add_argument("--trace", default="conversation", metavar="NAME", help="a name or a file (default: %(default)s)")
    load.add_argument("--speed", type=float, default=1.0, metavar="X", help="times as fast as recorded (default: 1)")
    load.add_argument("--rate", type=float, metavar="N", help="requests per second on average, instead of --speed")
    load.add_argument("--requests", type=int, metavar="N", help="only the first so many (generated: how many)")
    load.add_argument(
        "--traces", type=Path, metavar="DIR", help="where recorded traces are (default: ../shared/traces)"
    )
    promise = parser.add_argument_group("the promise")
    promise.add_argument("--good", type=float, default=0.99, metavar="SHARE", help="of requests (default: %(default)s)")
    promise.add_argument("--first-token", type=float, default=2.0, metavar="S", help="seconds (default: %(default)s)")
    promise.add_argument("--own", type=float, default=2.0, metavar="X", help="for long prompts (default: %(default)s)")
    promise.add_argument("--pace", type=float, default=0.1, metavar="S", help="seconds a token (default: %(default)s)")
    fleet = parser.add_argument_group("the fleet")
    fleet.add_argument(
        "--kind",
        action="append",
        metavar="GPU[xTP]=USD",
        help=f"h100, h200 or a100, x2 for two GPUs a replica, USD per GPU and hour; may be repeated "
        f"(default: {' '.join(PRICES)}, example prices)",
    )
    fleet.add_argument("--policy", action="append", metavar="NAME", help="balancing algorithm; may be repeated")
    fleet.add_argument("--most", type=int, default=64, metavar="N", help="replicas to try (default: %(default)s)")
    fleet.add_argument("--routers", type=int, default=1, metavar="N", help="side by side (default: %(default)s)")
    fleet.add_argument("--shed", action="store_true", help="refuse what cannot be in time (counts as not good)")
    fleet.add_argument("--kv-events", action="store_true", help="the engines tell what their caches hold")
    fleet.add_argument(
        "--chunk", type=int, default=2048, metavar="TOKENS", help="max_num_batched_tokens (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of everything drawn (default: %(default)s)")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="also draw good requests by cost")
    parser.add_argument("--processes", type=int, metavar="N", help="at once (default: as many as there are cores)")


def run(arguments: argparse.Namespace) -> int:
    """Search and print.

    Raises:
        Problem: an argument cannot be, or the picture cannot be drawn.
    """
    kinds = [kind_of(text) for text in arguments.kind or PRICES]
    try:
        tasks, origin = plan(arguments, kinds)
    except (ValueError, OSError) as error:
        raise Problem(str(error)) from error
    print(f"Load: {origin}", flush=True)
    print(
        f"Promise: {arguments.good:.1%} of requests good: first token within max({arguments.first_token:g} s, "
        f"{arguments.own:g} x own prompt), then {1000 * arguments.pace:g} ms a token\n",
        flush=True,
    )
    try:
        sizes = search([task for _, task in tasks], arguments.processes)
    except (ValueError, OSError) as error:
        raise Problem(str(error)) from error
    found = [(kind, task, size) for (kind, task), size in zip(tasks, sizes, strict=True)]
    print(render(found))
    print(f"\n{advice(found)}")
    if arguments.plot:
        picture(arguments.plot, found, arguments.good)
    return 0 if any(size.replicas is not None for _, _, size in found) else 1


def kind_of(text: str) -> Kind:
    """`h100x2=2.5` → a kind. Raises Problem when it cannot be understood."""
    name, _, price = text.partition("=")
    gpu, _, tp = name.partition("x")
    try:
        kind = Kind(gpu, int(tp or 1), float(price))
    except ValueError:
        raise Problem(f"--kind must look like h100=2.5 or h100x2=2.5 (USD per GPU and hour), got {text}") from None
    if kind.name not in KINDS or kind.tp not in (1, 2) or not kind.usd > 0:
        raise Problem(f"--kind: measured are {', '.join(KINDS)} with 1 or 2 GPUs a replica, got {text}")
    return kind


def plan(arguments: argparse.Namespace, kinds: Sequence[Kind]) -> tuple[list[tuple[Kind, Task]], str]:
    """The searches to make, and what the load is, in words. Raises ValueError when an argument is out of its range."""
    from bench.fleet.gossip import Several
    from bench.fleet.router import TAKES_ALL, Policy
    from bench.fleet.tally import Promise
    from bench.fleet.work import Work
    from bench.traces.find import FOLDER, GENERATED_REQUESTS, find
    from router.policy.admission import AdmissionSettings
    from router.policy.balancers import Name

    if not 0 < arguments.good <= 1:
        raise ValueError(f"--good must be above 0 and at most 1, got {arguments.good}")
    names: tuple[Name, ...] = get_args(Name)
    policies = [name for name in names if name in (arguments.policy or names[:1])]
    if unknown := set(arguments.policy or ()) - set(names):
        raise ValueError(f"--policy: there is no {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    folder = arguments.traces or FOLDER
    generated = arguments.requests or GENERATED_REQUESTS
    trace = find(arguments.trace, folder, generated).part(arguments.requests)
    count = tokens = outputs = 0
    last = 0.0
    for arrival in trace.stream(arguments.seed):
        count, last = count + 1, arrival.at_s
        tokens, outputs = tokens + arrival.prompt_tokens, outputs + arrival.output_tokens
    if not count:
        raise ValueError(f"{trace.origin}: there is no request in it")
    factor = arguments.speed if arguments.rate is None else arguments.rate * max(last, 1.0) / count
    base = Work(
        arguments.trace,
        factor,
        seed=arguments.seed,
        chunk=arguments.chunk,
        most_running=min(1024, arguments.chunk - 1),
        routers=Several(arguments.routers),
        promise=Promise(arguments.first_token, arguments.own, arguments.pace),
        folder=folder,
        generated=generated,
        requests=arguments.requests,
    )
    admission = AdmissionSettings(first_token_s=arguments.first_token) if arguments.shed else TAKES_ALL
    tasks = []
    for kind in kinds:
        for name in policies:
            policy = Policy(balancer=name, admission=admission, is_exact=arguments.kv_events)
            work = replace(base, kind=kind.name, tp=kind.tp, policy=policy)
            tasks.append((kind, Task(kind.label, work, arguments.good, arguments.most)))
    rate = count * factor / max(last, 1.0)
    origin = (
        f"{trace.origin}; {count:,} requests at {rate:.1f}/s, on average {tokens / count:,.0f} tokens in, "
        f"{outputs / count:,.0f} out"
    )
    return tasks, origin


def search(tasks: Sequence[Task], processes: int | None) -> "list[Size]":
    """All of them, as many at once as there are cores."""
    if len(tasks) == 1 or processes == 1:
        return [task.run() for task in tasks]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(Task.run, tasks))


def render(found: "Sequence[tuple[Kind, Task, Size]]") -> str:
    """A line for each search, the cheapest first."""
    return table(HEAD, [_cells(*each) for each in sorted(found, key=_cost)])


def advice(found: "Sequence[tuple[Kind, Task, Size]]") -> str:
    """What follows from it."""
    kind, task, size = min(found, key=_cost)
    if size.replicas is None:
        return f"None is enough, even with {task.most} replicas: raise --most, or lower what is promised."
    usd = size.replicas * kind.tp * kind.usd
    words = "replica" if size.replicas == 1 else "replicas"
    return (
        f"Cheapest: {size.replicas} {words} of {kind.label} with {task.work.policy.balancer}, {usd:,.2f} USD an hour. "
        "Add at least one for the day that one fails."
    )


def picture(path: Path, found: "Sequence[tuple[Kind, Task, Size]]", goodput: float) -> None:
    """Raises Problem when it cannot be drawn."""
    from bench.fleet.plot import draw

    several = len({task.work.policy.balancer for _, task, _ in found}) > 1
    labels = [f"{kind.label}, {task.work.policy.balancer}" if several else kind.label for kind, task, _ in found]
    prices = {label: kind.tp * kind.usd for label, (kind, _, _) in zip(labels, found, strict=True)}
    work = found[0][1].work
    title = f"{Path(work.trace).name} ×{work.factor:.3g}, Mistral Small 3.1 24B; the number is replicas"
    try:
        draw(path, list(zip(labels, [size for _, _, size in found], strict=True)), prices, goodput, title)
    except ImportError as error:
        raise Problem("--plot needs matplotlib: pip install 'tramontane[plan]'") from error
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}") from error
    print(f"Picture: {path}")


def _cost(each: "tuple[Kind, Task, Size]") -> tuple[bool, float]:
    kind, _, size = each
    return size.replicas is None, (size.replicas or max(size.runs)) * kind.tp * kind.usd


def _cells(kind: Kind, task: Task, size: "Size") -> tuple[str, ...]:
    result = size.result
    replicas = max(size.runs) if size.replicas is None else size.replicas
    usd = replicas * kind.tp * kind.usd
    first, pace = result.first_token_s, result.pace_s
    return (
        kind.label,
        task.work.policy.balancer,
        f"over {replicas}" if size.replicas is None else str(replicas),
        str(replicas * kind.tp),
        f"{usd:.2f}",
        f"{100 * result.goodput:.1f} %",
        f"{first[0]:.2f}/{first[2]:.1f} s",
        f"{1000 * pace[0]:.0f}/{1000 * pace[2]:.0f} ms",
        f"{100 * result.hit:.0f} %",
        f"{100 * result.shed_share:.1f} %",
        f"{result.cost(usd):.3f}",
    )
