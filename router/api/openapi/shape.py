"""A short way to write JSON Schemas: `record("id:string limit:number? data:Key[]")`.

A word is `name:kind`; `?` after the kind lets it be null, `[]` makes a list of it, `-` before the name lets it be
missing. A kind that begins with a capital letter refers to a schema of the document; `a|b` is a choice of words.
"""

from collections.abc import Mapping
from typing import TypeAlias

Json: TypeAlias = Mapping[str, object]

_PLAIN = ("string", "integer", "number", "boolean", "object", "array")
_FORMATS: Mapping[str, Json] = {
    "time": {"type": "string", "format": "date-time"},
    "price": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "description": "USD, as a decimal number"},
    "any": {},
    "null": {"type": "null"},
}


def ref(name: str) -> Json:
    """Refers to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Json) -> Json:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def record(words: str, /, **fields: Json) -> Json:
    """An object.

    Args:
        words: its fields, as the module says.
        fields: those that need a schema of their own. They are required.
    """
    properties: dict[str, Json] = {}
    required: list[str] = []
    for word in words.split():
        name, _, kind = word.partition(":")
        if not name.startswith("-"):
            required.append(name)
        properties[name.removeprefix("-")] = _of(kind)
    return {"type": "object", "properties": properties | fields, "required": [*required, *fields]}


def with_more(schema: Json, **fields: Json) -> Json:
    """An object with further fields, all of which may be missing."""
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return {**schema, "properties": properties | fields}


def _of(kind: str) -> Json:
    if kind.endswith("?"):
        return nullable(_of(kind[:-1]))
    if kind.endswith("[]"):
        return listed(_of(kind[:-2]))
    if kind in _FORMATS:
        return _FORMATS[kind]
    if kind in _PLAIN:
        return {"type": kind}
    if kind[0].isupper():
        return ref(kind)
    return {"enum": kind.split("|")}
