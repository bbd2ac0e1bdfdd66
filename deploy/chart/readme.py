"""`python -m deploy.chart.readme [--check]`: writes helm/tramontane/README.md.

The table of values is made of values.yaml's comments, the table of shapes of the first words of the files in ci/; the
rest is written by hand in README.md.in beside this file. `--check` writes nothing and fails if the file is not what
would be written.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deploy.chart import values_file
from deploy.chart.schema import write
from deploy.chart.values_file import CHART, Value

FILE = CHART / "README.md"
FRAME = Path(__file__).with_name("README.md.in")
TYPES = {str: "string", bool: "bool", int: "int", float: "float", list: "list", dict: "object"}  # helm-docs' words


def text(values: list[Value], shapes: Iterable[Path]) -> str:
    """The file."""
    frame = FRAME.read_text(encoding="utf-8")
    return frame.replace("@SHAPES@", _shapes(shapes)).replace("@VALUES@", _values(values))


def _shapes(files: Iterable[Path]) -> str:
    rows = [f"| [`ci/{file.name}`](ci/{file.name}) | {_cell(_first_words(file))} |" for file in files]
    return "\n".join(["| file | what for, and what it needs |", "|---|---|", *rows])


def _first_words(file: Path) -> str:
    """The comment at the head of a file."""
    words = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# ").strip())
    return " ".join(words)


def _values(values: list[Value]) -> str:
    lines = ["| key | type | default | |", "|---|---|---|---|"]
    for value in values:
        text = " ".join(part for part in (value.about, value.text) if part)
        if value.is_section:
            if text:
                lines.append(f"| **`{value.name}`** | | | {_cell(text)} |")
            continue
        default = json.dumps(value.default, ensure_ascii=False)
        lines.append(f"| `{value.name}` | {_type(value.default)} | `{default}` | {_cell(text)} |".replace("``", "` `"))
    return "\n".join(lines)


def _type(default: Any) -> str:
    return TYPES[type(default)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chart.readme", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the file is another")
    given = parser.parse_args(arguments)
    shapes = sorted((CHART / "ci").glob("*-values.yaml"))
    return write(FILE, text(values_file.read(), shapes), check=given.check)


if __name__ == "__main__":
    sys.exit(main())
