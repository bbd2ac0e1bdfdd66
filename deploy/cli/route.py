"""`tramontane route`: the router alone, from a configuration file."""

import argparse
import os
import sys

DESCRIPTION = """\
Run the router alone, in this process: the same as `python -m router --config FILE`. It needs no engine
library; the engines it routes to run elsewhere. SIGTERM lets open answers end, then stops it.

example:
  tramontane route --config router.yaml
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", metavar="FILE", required=True, help="the router's YAML file (docs/settings.md)")


def run(arguments: argparse.Namespace) -> int:
    """Become the router; never returns."""
    os.execv(sys.executable, [sys.executable, "-m", "router", "--config", arguments.config])
