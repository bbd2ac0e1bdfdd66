"""What the router's file and a deployment hold, as JSON schemas that helm understands (draft-07, nothing remote).

They come from the very classes that read those files, so that a typo is refused before anything is installed, with the
same keys. A `partial` schema asks for nothing: what it holds is put over what the chart derives. Items of lists are
never partial, as a list replaces the other whole.

What a schema cannot say (sizes that must fit together) is checked by templates, and at the start of router and engine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]
HOLDS_SCHEMAS = ("properties", "patternProperties", "definitions")  # by names that are no keywords
IS_SCHEMA = ("items", "additionalProperties", "propertyNames", "not", "contains")
ARE_SCHEMAS = ("anyOf", "allOf", "oneOf", "items")
# Titles repeat the key, descriptions are about Python, defaults stand in docs/settings.md; `format` is not checked.
DROPPED = {"title", "description", "default", "format", "$defs"}
HERE = "#/definitions/"
PARTIAL = "~"  # ends the name of a definition that asks for nothing


@dataclass(frozen=True, slots=True)
class Converted:
    """A schema and the definitions that it refers to."""

    schema: Schema
    definitions: dict[str, Schema]


def convert(model: type[BaseModel], name: str, *, partial: bool = False) -> Converted:
    """The schema of a class of settings.

    Args:
        model: that reads the file.
        name: put before the names of definitions, so that two classes' do not collide.
        partial: whether nothing is required.
    """
    made = model.model_json_schema(ref_template=f"{HERE}{name}.{{model}}")
    plain = {f"{name}.{key}": _plain(value) for key, value in made.get("$defs", {}).items()}
    root = _plain({key: value for key, value in made.items() if key != "$defs"})
    definitions = plain | {key + PARTIAL: _partial(value) for key, value in plain.items()}
    wanted = _partial(root) if partial else root
    return Converted(wanted, _used(wanted, definitions))


def _plain(schema: Schema) -> Schema:
    """In words of draft-07, and closed."""
    kept = {key: value for key, value in schema.items() if key not in DROPPED}
    if "discriminator" in kept:
        return _chosen(kept["discriminator"])
    if "prefixItems" in kept:
        kept |= {"items": kept.pop("prefixItems"), "additionalItems": False}
    if "properties" in kept:
        kept.setdefault("additionalProperties", False)
    if "$ref" in kept:
        return {"$ref": kept["$ref"]}  # draft-07 looks at nothing beside it
    return _mapped(kept)


def _chosen(discriminator: Schema) -> Schema:
    """One of several by a key, so that a typo in one of them is not laid to the others too."""
    key, mapping = discriminator["propertyName"], discriminator["mapping"]
    return {
        "type": "object",
        "required": [key],
        "properties": {key: {"enum": sorted(mapping)}},
        "allOf": [
            {"if": {"required": [key], "properties": {key: {"const": kind}}}, "then": {"$ref": reference}}
            for kind, reference in sorted(mapping.items())
        ],
    }


def _mapped(schema: Schema) -> Schema:
    mapped: Schema = {}
    for key, value in schema.items():
        if key in HOLDS_SCHEMAS:
            mapped[key] = {name: _plain(each) for name, each in value.items()}
        elif key in ARE_SCHEMAS and isinstance(value, list):
            mapped[key] = [_plain(each) for each in value]
        elif key in IS_SCHEMA and isinstance(value, dict):
            mapped[key] = _plain(value)
        else:
            mapped[key] = value
    return mapped


def _partial(schema: Schema) -> Schema:
    """Asks for nothing, nor does what it holds by keys."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"] + PARTIAL}
    if branches := [each["then"] for each in schema.get("allOf", []) if "then" in each]:
        return {"anyOf": [_partial(each) for each in branches]}  # without its key any may be meant
    made = {key: value for key, value in schema.items() if key != "required"}
    if "properties" in made:
        made["properties"] = {name: _partial(each) for name, each in made["properties"].items()}
    for key in ("anyOf", "oneOf", "allOf"):
        if key in made:
            # more than one may fit what is given in part
            made["anyOf" if key == "oneOf" else key] = [_partial(each) for each in made.pop(key)]
    return made


def _used(schema: Schema, definitions: dict[str, Schema]) -> dict[str, Schema]:
    used: dict[str, Schema] = {}
    left = list(_references(schema))
    while left:
        name = left.pop()
        if name not in used:
            used[name] = definitions[name]
            left += _references(definitions[name])
    return dict(sorted(used.items()))


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(HERE)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
