"""How often the pocket model is right, asked through the router on a real engine: `python -m bench.accuracy`.

Fresh cases of each task (seeds that training never sees), temperature 0. Starts a stack of its own unless it is given
the address of one. Prints the table that stands in the pocket model's README; exit 0 only if every bar is reached.
`serving.pocket.measure` asks; here are the bars and the stack.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.pocket.evaluate import TASKS
from serving.pocket.measure import Ask, asker, right_answers

AT_ONCE = 12  # questions; fills the batch of a small engine on two cores
TIMEOUT_S = 120.0
BARS: Mapping[str, float] = {
    "colour": 0.98,
    "shape": 0.95,
    "number": 0.90,
    "two_pictures": 0.90,
    "recall": 0.95,
    "system_prompt": 0.95,
    "sums": 0.90,
    "json": 0.95,
    "json_text": 0.95,
    "tools": 0.90,
    "tools_required": 0.90,
}  # what the model must reach; the other tasks are measured without one
CONSTRAINED = ("json", "json_text")


@dataclass(frozen=True, slots=True)
class Score:
    """One task's result; `right` is a share from 0 to 1."""

    task: str
    count: int
    right: float
    valid: float | None = None  # share of valid JSON, of the tasks that are constrained to it

    @property
    def is_reached(self) -> bool:
        return self.right >= BARS.get(self.task, 0.0) and self.valid in (None, 1.0)

    def row(self) -> str:
        bar = f"{BARS[self.task]:.0%}" if self.task in BARS else "–"
        valid = "–" if self.valid is None else f"{self.valid:.1%}"
        missed = "" if self.is_reached else " (missed)"
        return f"| {self.task} | {self.count} | {self.right:.1%} | {bar}{missed} | {valid} |"


@contextmanager
def own_stack(folder: Path) -> Iterator[Ask]:
    """A stack for as long as the block lasts."""
    from deploy.local import Options, Stack

    stack = Stack(Options(folder=folder), tell=lambda doing, passed_s: None)
    try:
        print("starting a stack (a minute or two) …", file=sys.stderr, flush=True)
        stack.start()
        yield asker(stack.base_url, stack.model, stack.api_key, TIMEOUT_S)
    finally:
        stack.stop()


def run(ask: Ask, seed: int, count: int) -> bool:
    """Print the table. Returns whether every bar was reached."""
    print("| task | cases | right | bar | valid JSON |\n|---|---|---|---|---|", flush=True)
    began = time.monotonic()
    scores: list[Score] = []
    for task in TASKS:
        right, wrong = right_answers(task, seed, count, ask, AT_ONCE)
        invalid = sum(not _is_json(said) for _, said in wrong)  # a right answer is valid
        scores.append(Score(task, count, right / count, 1 - invalid / count if task in CONSTRAINED else None))
        print(scores[-1].row(), flush=True)
    print(f"\n{count * len(scores)} questions in {time.monotonic() - began:.0f} s, seed {seed}")
    return all(each.is_reached for each in scores)


def _is_json(said: str) -> bool:
    """`said`: a wrong answer as `right_answers` gives it."""
    try:
        json.loads(json.loads(said)["content"])
    except (TypeError, ValueError):
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument(
        "--base-url",
        help="of a running stack, e.g. http://127.0.0.1:8080/api/v1 (its key: TRAMONTANE_API_KEY); default: start one",
    )
    parser.add_argument("--model", default="tramontane/pocket", help="default: tramontane/pocket")
    parser.add_argument("--cases", type=int, default=200, help="per task (default: 200)")
    parser.add_argument("--seed", type=int, default=2026, help="of the cases (default: 2026)")
    options: Any = parser.parse_args()
    if options.base_url:
        key = os.environ.get("TRAMONTANE_API_KEY", "")
        return 0 if run(asker(options.base_url, options.model, key, TIMEOUT_S), options.seed, options.cases) else 1
    with own_stack(Path(".tramontane")) as ask:
        return 0 if run(ask, options.seed, options.cases) else 1


if __name__ == "__main__":
    sys.exit(main())
