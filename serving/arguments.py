"""The command line of `python -m serving`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.config import Deployment, parse

DESCRIPTION = """\
Run the engines of one deployment file on this machine: start Ray, start the replicas, say where they answer, and at
SIGTERM or Ctrl-C drain and stop everything. Standard output is one JSON object per line: "cluster", "progress"...,
"ready" (with the dashboard's URL, the file with its token, and each replica's host and port), "stopping", "stopped".
"""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was asked for."""

    deployment: Path
    replicas: int | None
    source: str | None
    dashboard_port: int
    ports: range
    start_timeout_s: float
    keep_logs: bool
    token_file: Path | None

    @classmethod
    def parse(cls, argv: Sequence[str]) -> "Arguments":
        """Read the command line; exits with status 2 and a message if it is wrong."""
        parser = argparse.ArgumentParser(prog="python -m serving", description=DESCRIPTION)
        parser.add_argument("--deployment", type=Path, required=True, metavar="FILE", help="deployment file (YAML)")
        parser.add_argument("--replicas", type=_count, metavar="N", help="instead of the file's number")
        parser.add_argument("--source", metavar="PATH", help="weights, instead of the file's")
        parser.add_argument(
            "--dashboard-port",
            type=int,
            default=0,
            metavar="PORT",
            help="of Ray's dashboard (default: a free one)",
        )
        parser.add_argument(
            "--ports",
            type=_ports,
            default=range(30000, 31001),
            metavar="MIN-MAX",
            help="ports replicas may take (default: 30000-31000; taken ones are passed over)",
        )
        parser.add_argument(
            "--start-timeout",
            type=float,
            default=900.0,
            metavar="SECONDS",
            help="for all replicas to be ready (default: 900, as large weights load from a network)",
        )
        parser.add_argument(
            "--keep-logs", action="store_true", help="keep Ray's folder in any case, not only after a failure"
        )
        parser.add_argument(
            "--token-file",
            type=Path,
            metavar="FILE",
            help="with the cluster's token, for routers that run under another user (default: a fresh one each run)",
        )
        found = parser.parse_args(argv)
        return cls(
            deployment=found.deployment,
            replicas=found.replicas,
            source=found.source,
            dashboard_port=found.dashboard_port,
            ports=found.ports,
            start_timeout_s=found.start_timeout,
            keep_logs=found.keep_logs,
            token_file=found.token_file,
        )

    def apply(self, deployment: Deployment) -> Deployment:
        """The deployment with what the command line says in place of the file.

        Raises:
            ConfigError: the two do not go together.
        """
        values = deployment.model_dump(exclude_unset=True)
        if self.replicas is not None:
            values["replicas"] = self.replicas
        if self.source is not None:
            values["source"] = self.source
        return parse(values, "command line")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _ports(text: str) -> range:
    first, _, last = text.partition("-")
    ports = range(int(first), int(last or first) + 1)
    if not ports or ports.start < 1 or ports.stop > 65536:
        raise argparse.ArgumentTypeError("must be MIN-MAX, from 1 to 65535")
    return ports
