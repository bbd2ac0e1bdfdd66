"""What helm says after an installation, which `helm template` leaves out: rendered by the chart as an object's text."""

import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.helm import render

OBJECT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  text: {{ include (print $.Template.BasePath "/NOTES.txt") . | quote }}
"""


def notes(values: Mapping[str, Any] | Path) -> str:
    """The text for these values."""
    return _notes(values.read_text() if isinstance(values, Path) else yaml.safe_dump(dict(values)))


@cache
def _notes(values: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(shutil.copytree(render.CHART, Path(folder, "tramontane")))
        (chart / "templates" / "notes-as-object.yaml").write_text(OBJECT)
        file = Path(folder, "values.yaml")
        file.write_text(values)
        given = ["template", "tramontane", str(chart), "--namespace", "models", "--values", str(file)]
        (found,) = render.parse(render.run(*given, "--show-only", "templates/notes-as-object.yaml"))
    text: str = found["data"]["text"]
    return text


def commands(text: str) -> list[str]:
    """The lines that a reader is to run: those that are set in twice."""
    return [line.strip() for line in text.splitlines() if line.startswith("      ")]
