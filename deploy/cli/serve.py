"""`tramontane serve`: the engines alone, from a deployment file."""

import argparse
import os
import sys

from deploy.installed import require_engines

DESCRIPTION = """\
Run the engines of a deployment file on this machine, in this process: the same as `python -m serving`. Prints
where each replica answers. SIGTERM or Ctrl-C lets open answers end, then stops everything.

examples:
  tramontane serve --deployment engines.yaml
  tramontane serve --deployment engines.yaml -- --replicas 2     (what follows -- goes to `python -m serving`)
  tramontane serve --deployment engines.yaml -- --help
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--deployment", metavar="FILE", required=True, help="model, preset, replicas, engine options")
    parser.add_argument("rest", metavar="OPTION", nargs="*", help="further options of `python -m serving`, after --")


def run(arguments: argparse.Namespace) -> int:
    """Become the engines' process; never returns.

    Raises:
        Problem: there are no engines here.
    """
    require_engines()
    command = [sys.executable, "-m", "serving", "--deployment", arguments.deployment, *arguments.rest]
    os.execv(sys.executable, command)
