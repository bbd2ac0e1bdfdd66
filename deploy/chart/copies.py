"""`python -m deploy.chart.copies [--check]`: puts copies of alerts and dashboards into the chart.

deploy/prometheus/rules and deploy/grafana/dashboards are the source, for the chart and the compose file alike. What is
in the chart's folders and not in the source is removed. `--check` writes nothing and fails if anything differs.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.chart.values_file import CHART

DEPLOY = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Copy:
    """Files of one kind, and the folder of the chart that holds the same."""

    source: Path
    pattern: str
    target: Path

    def wanted(self) -> dict[Path, bytes]:
        """What the chart's folder must hold."""
        return {self.target / file.name: file.read_bytes() for file in sorted(self.source.glob(self.pattern))}

    def held(self) -> dict[Path, bytes]:
        """What it holds."""
        return {file: file.read_bytes() for file in sorted(self.target.glob("*"))}


COPIES = (
    Copy(DEPLOY / "prometheus" / "rules", "*.yaml", CHART / "files" / "rules"),
    Copy(DEPLOY / "grafana" / "dashboards", "*.json", CHART / "files" / "dashboards"),
)


def differing(copies: Sequence[Copy]) -> list[Path]:
    """Files of the chart that are missing, outdated or too many."""
    found: list[Path] = []
    for each in copies:
        wanted, held = each.wanted(), each.held()
        found += [file for file in sorted(wanted.keys() | held.keys()) if wanted.get(file) != held.get(file)]
    return found


def write(copies: Sequence[Copy]) -> None:
    """Make the chart's folders equal to their sources."""
    for each in copies:
        each.target.mkdir(parents=True, exist_ok=True)
        wanted: Mapping[Path, bytes] = each.wanted()
        for file in each.held().keys() - wanted.keys():
            file.unlink()
        for file, content in wanted.items():
            file.write_bytes(content)


def main(arguments: Sequence[str] | None = None, copies: Sequence[Copy] = COPIES) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chart.copies", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file is another")
    given = parser.parse_args(arguments)
    if not given.check:
        write(copies)
        return 0
    for file in (found := differing(copies)):
        print(f"{file.name} is not its source's copy: run `make chart-docs`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
