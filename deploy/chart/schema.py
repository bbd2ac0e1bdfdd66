"""`python -m deploy.chart.schema [--check]`: writes helm/tramontane/values.schema.json.

Helm holds values against it before it renders anything, so that a typo is refused with its path. Made from values.yaml
(keys, types, texts), `kinds` (what defaults do not show) and the classes that read a deployment and the router's file.
`--check` writes nothing and fails if the file is not what would be written.
"""

import argparse
import json
import sys
from pathlib import Path

from deploy.chart import values_file
from deploy.chart.kinds import BY_KEY, BY_NAME, SHARED, Schema, closed
from deploy.chart.models_schema import convert
from deploy.chart.values_file import CHART, Value
from router.config import Config
from router.sections import ModelSection, PoolSection
from serving.config import Deployment

FILE = CHART / "values.schema.json"
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


class Undecided(ValueError):
    """A value of which only a person can say what it may hold."""


def build(values: list[Value]) -> Schema:
    """The schema of these values. Raises Undecided."""
    sections: dict[tuple[str, ...], Schema] = {(): closed({})}
    for value in values:
        made = closed({}) if value.is_section else _kind(value)
        if value.is_section:
            sections[value.path] = made
        sections[value.path[:-1]]["properties"][value.path[-1]] = _described(made, value)
    root = sections[()]
    root["properties"]["global"] = {"type": "object"}  # what a chart above this one hands down to all of its parts
    workers = {name: _bare(each) for name, each in sections["workers",]["properties"].items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart tramontane",
        "description": "Made by `python -m deploy.chart.schema`.",
        **root,
        "definitions": _definitions(workers),
    }


def _definitions(workers: dict[str, Schema]) -> dict[str, Schema]:
    found: dict[str, Schema] = {**SHARED, "workers": closed(workers)}
    for name, model, prefix, partial in (
        ("deployment", Deployment, "serving", False),
        ("router~", Config, "router", True),
        ("model", ModelSection, "router", False),
        ("model~", ModelSection, "router", True),
        ("pool~", PoolSection, "router", True),
    ):
        made = convert(model, prefix, partial=partial)
        found |= {name: made.schema, **made.definitions}
    return dict(sorted(found.items()))


def _kind(value: Value) -> Schema:
    for kinds, key in ((BY_NAME, value.name), (BY_KEY, value.path[-1])):
        if key in kinds:
            return kinds[key]
    if type(value.default) in TYPES:
        return {"type": TYPES[type(value.default)]}
    raise Undecided(f"{value.name}: say in deploy/chart/kinds.py what it may hold; its default is {value.default!r}")


def _described(schema: Schema, value: Value) -> Schema:
    text = value.text or value.about
    if not text:
        return schema
    if "$ref" in schema:  # draft-07 looks at nothing beside a reference
        return {"description": text, "allOf": [schema]}
    if value.is_section:
        schema["description"] = text  # the object that keys are still put into
        return schema
    return {"description": text, **schema}


def _bare(schema: Schema) -> Schema:
    """Without its text, which stands where the key is explained."""
    kept = {key: each for key, each in schema.items() if key != "description"}
    return dict(kept["allOf"][0]) if set(kept) == {"allOf"} else kept


def text(values: list[Value]) -> str:
    """The file."""
    return json.dumps(build(values), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chart.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the file is another")
    given = parser.parse_args(arguments)
    return write(FILE, text(values_file.read()), check=given.check)


def write(file: Path, made: str, *, check: bool) -> int:
    """Write a file that is made, or see whether it is what would be written. Returns the exit status."""
    if not check:
        file.write_text(made, encoding="utf-8")
        return 0
    if file.exists() and file.read_text(encoding="utf-8") == made:
        return 0
    print(f"{file.name} is not what its sources make: run `make chart-docs`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
