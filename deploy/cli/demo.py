"""`tramontane demo`: the whole stack for four questions."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.options import add_stack_options
from deploy.installed import require_engines

if TYPE_CHECKING:
    from deploy.cli.screen import Screen
    from deploy.local import Stack
    from deploy.questions import Question
    from deploy.router_client import RouterClient

DESCRIPTION = """\
Start Ray, an engine with the pocket model on CPU, and the router; ask four questions through the router: text, a
picture (drawn for the occasion, and kept for you to look at), a follow-up, and JSON by a schema; check the answers;
stop everything. The exit status is 0 only if all four answers were right.

examples:
  tramontane demo
  tramontane demo --seed 7          (another picture, other numbers)
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_options(parser, port=0)
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="which picture and numbers (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Start, ask, stop.

    Raises:
        Problem: there are no engines here, the stack did not start or the router did not answer.
    """
    require_engines()
    from deploy.cli.session import with_stack
    from deploy.local import Options
    from deploy.questions import questions
    from deploy.router_client import RouterClient

    def work(stack: "Stack", screen: "Screen") -> int:
        client = RouterClient(stack.base_url, stack.api_key)
        return ask_all(questions(arguments.seed), client, stack.model, stack.folder / "picture.png", screen)

    return with_stack(Options(replicas=arguments.replicas, port=arguments.port), work)


def ask_all(
    questions: "Sequence[Question]", client: "RouterClient", model: str, picture: Path, screen: "Screen"
) -> int:
    """Ask one after the other and say which were right.

    Args:
        picture: where the picture is kept.

    Returns:
        The exit status: 0 only if all answers were right.

    Raises:
        Problem: the router did not answer.
    """
    right = 0
    messages: list[dict[str, object]] = []
    for number, question in enumerate(questions, 1):
        if not question.goes_on:
            messages = []
        messages.append(question.message())
        screen.say(f"\n{number} of {len(questions)}: {question.title}")
        if question.picture is not None:
            question.picture.save(picture)
            screen.say(f"  picture  {picture}")
        screen.say(f"  asked    {question.text}")
        with client.ask(_body(model, messages, question)) as answer:
            text = screen.stream(answer, "  ")
        messages.append({"role": "assistant", "content": text})
        if question.is_right(text):
            right += 1
            screen.say("  right")
        else:
            screen.say(f"  WRONG; expected: {question.expected}")
    screen.say(f"\n{right} of {len(questions)} answers right")
    return 0 if right == len(questions) else 1


def _body(model: str, messages: list[dict[str, object]], question: "Question") -> dict[str, object]:
    body: dict[str, object] = {"model": model, "messages": messages, "temperature": 0, "max_tokens": 100}
    if question.schema is not None:
        schema = {"name": "picture", "strict": True, "schema": question.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body
