"""The `tramontane` command: finds the sub-command, runs it, turns problems into sentences.

Rule: only the chosen command's own imports happen, so that `--help` and `ask` start at once and work where
neither Ray nor vLLM is installed.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Protocol

from deploy.problem import Problem

COMMANDS = {
    "up": "start engines and router on this machine and stay up until Ctrl-C",
    "demo": "start everything, ask four questions, check the answers, stop everything",
    "ask": "ask a running router one question, with pictures if you like",
    "status": "table of a running router's models, pools, endpoints, their state and load",
    "keys": "make, show, change and delete the API keys of a running router",
    "route": "run the router alone, from a configuration file",
    "serve": "run the engines alone",
    "simulate": "start engines without a model or a GPU, with the timing of real ones",
    "ledger": "hold the ledger against what the engines themselves have counted",
    "plan": "how many GPUs of which kind a load needs, by the router's own policies",
}
DESCRIPTION = """\
Tramontane serves multimodal language models: vLLM engines under Ray Serve, behind a router that speaks
OpenRouter's API.

start here:
  tramontane demo                                          see it work, four questions long
  tramontane up                                            keep it running; prints the base URL and a key
  tramontane ask --image picture.png "What shape is it?"   ask it something
"""


class Command(Protocol):
    """What each module in this folder that is named in COMMANDS offers."""

    DESCRIPTION: str

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the result is the exit status."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done; 1 a problem, told on stderr; 2 wrong arguments; 130 interrupted.
    """
    given = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    name = next((word for word in given if word in COMMANDS), None)
    command: Command | None = import_module(f"deploy.cli.{name}") if name else None
    arguments = parser_with(name, command).parse_args(given)
    assert command is not None  # argparse accepts no other
    try:
        return command.run(arguments)
    except Problem as problem:
        print(f"tramontane {name}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser_with(name: str | None, command: Command | None) -> argparse.ArgumentParser:
    """The whole grammar's first level, and the second for the command that was imported."""
    parser = argparse.ArgumentParser(
        prog="tramontane", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"tramontane {version('tramontane')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for known, summary in COMMANDS.items():
        sub = commands.add_parser(
            known,
            help=summary,
            description=command.DESCRIPTION if command and known == name else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if command and known == name:
            command.add_options(sub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
