"""A JSON Schema to the nodes that a grammar of XML or YAML is written from.

Every answer must be valid by construction. So each keyword is either enforced by the grammar, or says nothing about
values, or is refused by its name. What no vocabulary knows says nothing, as JSON Schema has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits
from router.protocol.markup.nodes import Choice, Graph, Node
from router.protocol.markup.read_constants import read_constants
from router.protocol.markup.read_kinds import READERS
from router.protocol.markup.vocabulary import CONSTRAINTS, KEYWORDS
from router.protocol.schema_cost import resolve

_CHOICES = ("anyOf", "oneOf")
Schema = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Found:
    schema: Schema
    path: str


class _Reader:
    """Numbers subschemas in the order in which they are met; none is read twice."""

    def __init__(self, root: object, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self._numbers: dict[int, int] = {}
        self.found: list[_Found] = []

    def number(self, schema: object, path: str) -> int:
        """Of a subschema, past what only refers to another."""
        found = self._target(schema, path)
        key = id(found.schema)
        if key not in self._numbers:
            self._numbers[key] = len(self.found)
            self.found.append(found)
        return self._numbers[key]

    def _target(self, schema: object, path: str) -> _Found:
        """Comes to an end: `check_schema` refuses references in a circle with nothing else."""
        while True:
            if not isinstance(schema, dict):
                raise invalid(path, "must be an object that says what the value is")
            reference, parts = schema.get("$ref"), schema.get("allOf")
            if reference is None and not isinstance(parts, list):
                return _Found(schema, path)
            key = "allOf" if reference is None else "$ref"
            _stands_alone(schema, key, path)
            if reference is None and len(cast(list[object], parts)) > 1:
                raise invalid(f"{path}.allOf", "may hold one schema only for xml and yaml")
            schema = cast(list[object], parts)[0] if reference is None else resolve(self._root, str(reference))


def read_schema(schema: object, path: str, limits: Limits) -> Graph:
    """The nodes of a schema that `schema.check_schema` has let pass.

    Raises:
        ApiError: 400, naming a keyword that the grammar could not keep.
    """
    reader = _Reader(schema, limits)
    reader.number(schema, path)
    nodes = [_node(found.schema, found.path, reader) for found in reader.found]  # which grows meanwhile
    return Graph(tuple(nodes), tuple(found.path for found in reader.found))


def _node(schema: Schema, path: str, reader: _Reader) -> Node:
    for key in _CHOICES:
        if isinstance(alternatives := schema.get(key), list):
            _stands_alone(schema, key, path)
            numbers = [reader.number(each, f"{path}.{key}[{index}]"[:200]) for index, each in enumerate(alternatives)]
            return Choice(tuple(numbers), is_one=key == "oneOf")
    if "enum" in schema or "const" in schema:
        _check_keywords(schema, frozenset({"enum", "const", "type"}), path, "an enum or const")
        return read_constants(schema, path)
    kind = schema.get("type") or _implied(schema, path)
    if isinstance(kind, list) and len(kind) == 1:
        kind = kind[0]
    if isinstance(kind, list):
        return _several(schema, kind, path, reader)
    name = str(kind)
    _check_keywords(schema, KEYWORDS[name] | {"type"}, path, f"type {name}")
    return READERS[name](schema, path, reader.number)


def _several(schema: Schema, kinds: list[str], path: str, reader: _Reader) -> Node:
    """A type of several names is a choice between schemas of one each, which have the keywords that concern them."""
    known = frozenset().union(*(KEYWORDS[kind] for kind in kinds))
    _check_keywords(schema, known | {"type"}, path, f"type {' or '.join(kinds)}")
    kinds = [kind for kind in kinds if kind != "integer" or "number" not in kinds]
    parts = [{key: value for key, value in schema.items() if key in KEYWORDS[kind]} | {"type": kind} for kind in kinds]
    return Choice(tuple(reader.number(part, path) for part in parts), is_one=False)


def _implied(schema: Schema, path: str) -> str:
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    raise invalid(f"{path}.type", "is required: anything at all cannot be promised")


def _stands_alone(schema: Schema, key: str, path: str) -> None:
    _check_keywords(schema, frozenset({key}), path, key)


def _check_keywords(schema: Schema, allowed: frozenset[str], path: str, where: str) -> None:
    for key in schema:
        if key in CONSTRAINTS and key not in allowed:
            raise _refused(f"{path}.{key}", where)


def _refused(path: str, where: str) -> ApiError:
    return invalid(path, f"is not supported beside {where} for xml and yaml")
