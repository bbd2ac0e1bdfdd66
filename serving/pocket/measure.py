"""Asks a running server (an engine, or a router before it) fresh cases of every task and prints how many it got right.

`python -m serving.pocket.measure --url http://127.0.0.1:8000/v1 --model pocket --count 200`
Answers are taken at temperature 0. Standard library only, besides Pillow for drawing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from serving.pocket.evaluate import TASKS, Case, cases

MAX_TOKENS = 120  # the longest reference answer of a task that is judged has about 60

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def asker(url: str, model: str, key: str, seconds: float) -> Ask:
    """Posts a case's body to `url`/chat/completions and gives the answer's message.

    The function raises `urllib.error.HTTPError` for a status that is no success, `TimeoutError` after `seconds`.
    """

    def ask(body: Mapping[str, Any]) -> Mapping[str, Any]:
        whole = {**body, "model": model, "temperature": 0, "max_tokens": MAX_TOKENS}
        request = urllib.request.Request(
            f"{url.rstrip('/')}/chat/completions",
            data=json.dumps(whole).encode("utf-8"),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            message: Mapping[str, Any] = json.load(answer)["choices"][0]["message"]
        return message

    return ask


def right_answers(task: str, seed: int, count: int, ask: Ask, together: int) -> tuple[int, list[tuple[Case, str]]]:
    """How many of `count` cases were answered rightly, and the wrong ones with what was said instead.

    At most `together` questions are open at a time.
    """
    made = list(cases(task, seed, count))
    with ThreadPoolExecutor(together) as pool:
        messages = list(pool.map(ask, (case.body for case in made)))
    wrong = [
        (case, json.dumps({key: message.get(key) for key in ("content", "tool_calls")}, ensure_ascii=False))
        for case, message in zip(made, messages, strict=True)
        if not case.is_right(message)
    ]
    return count - len(wrong), wrong


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the pocket model through a running server.")
    parser.add_argument("--url", required=True, help="base URL ending in /v1; the key is read from OPENAI_API_KEY")
    parser.add_argument("--model", required=True)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--count", type=int, default=200, help="cases per task")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--together", type=int, default=8, help="questions open at a time")
    parser.add_argument("--seconds", type=float, default=60.0, help="longest wait for one answer")
    parser.add_argument("--show", type=int, default=0, help="how many wrong answers to print per task")
    given = parser.parse_args()
    ask = asker(given.url, given.model, os.environ.get("OPENAI_API_KEY", "none"), given.seconds)
    for task in given.tasks:
        right, wrong = right_answers(task, given.seed, given.count, ask, given.together)
        print(f"{task:16} {right:5} of {given.count:5}  {right / given.count:7.1%}", flush=True)
        for case, said in wrong[: given.show]:
            print(
                f"    expected {json.dumps(case.reference, ensure_ascii=False)}\n    answered {said}", file=sys.stderr
            )


if __name__ == "__main__":
    main()
