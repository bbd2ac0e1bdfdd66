"""Is this a JSON Schema, and one that an engine can turn into a grammar in bounded time?

The keywords that grammar backends read are checked against a table; others pass. A general validator of meta-schemas is
no replacement: it takes milliseconds for what has to be checked on every request, and bounds neither size nor depth.

A tool's schema is mostly shown to the model and never compiled: of it references and patterns may be what they like, as
long as they are small.
"""

from collections.abc import Iterator
from typing import TypeGuard

from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.pattern import check_pattern
from router.protocol.schema_cost import check_cost

_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_SCHEMA = ("not", "if", "then", "else", "contains", "propertyNames")
_SCHEMA_OR_BOOL = ("additionalProperties", "unevaluatedProperties", "additionalItems", "unevaluatedItems")
_SCHEMA_LIST = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCHEMA_MAP = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
_COUNT = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_NUMBER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_STRING = (
    "$ref",
    "$id",
    "$schema",
    "$anchor",
    "$comment",
    "title",
    "description",
    "format",
    "contentMediaType",
    "contentEncoding",
)
_BOOL = ("uniqueItems", "readOnly", "writeOnly", "deprecated")

Path = str


def check_schema(schema: object, path: Path, limits: Limits, *, is_compiled: bool = True) -> None:
    """Check a schema and all its subschemas. `is_compiled`: an engine makes a grammar of it.

    Raises:
        ApiError: 400, naming the keyword by its path from `path`.
    """
    todo: list[tuple[object, Path, int]] = [(schema, path, 1)]
    seen = values = 0
    is_tree = True
    while todo:
        node, where, depth = todo.pop()
        seen += 1
        if depth > limits.schema_depth:
            problem = f"the schema is nested deeper than {limits.schema_depth} levels"
            raise invalid(where, problem, limit="schema_depth")
        if seen > limits.schema_nodes:
            raise invalid(path, f"more than {limits.schema_nodes} subschemas", limit="schema_nodes")
        if isinstance(node, bool) and depth > 1:
            continue
        if not isinstance(node, dict):
            raise invalid(where, "a schema must be an object")
        _check_values(node, where, limits, is_compiled)
        values += len(node.get("enum", ()))
        if values > limits.schema_enum:
            problem = f"at most {limits.schema_enum} values in all enums together"
            raise invalid(f"{where}.enum", problem, limit="schema_enum")
        is_tree = is_tree and "$ref" not in node and "allOf" not in node
        todo.extend((child, f"{where}.{key}", depth + 1) for key, child in children(node, where))
    if is_compiled and not is_tree:
        check_cost(schema, path, children, limits)


def children(node: dict[str, object], path: Path) -> Iterator[tuple[str, object]]:
    """A schema's subschemas, by their paths from it. Raises ApiError (400) where something else is in their place."""
    for key in (*_SCHEMA, *_SCHEMA_OR_BOOL):
        if key in node:
            yield key, node[key]
    items = node.get("items")
    if isinstance(items, list):  # drafts before 2020-12
        if not items:
            raise invalid(f"{path}.items", "must be a schema, or an array of schemas, not empty")
        yield from ((f"items[{index}]", item) for index, item in enumerate(items))
    elif "items" in node:
        yield "items", items
    for key in _SCHEMA_LIST:
        if key not in node:
            continue
        value = node[key]
        if not isinstance(value, list) or not value:
            raise invalid(f"{path}.{key}", "must be an array of schemas, not empty")
        yield from ((f"{key}[{index}]", item) for index, item in enumerate(value))
    for key in _SCHEMA_MAP:
        value = node.get(key, {})
        if not isinstance(value, dict):
            raise invalid(f"{path}.{key}", "must be an object of schemas")
        for name, item in value.items():
            if key != "dependencies" or not _are_unique_strings(item):
                yield f"{key}.{name}"[:200], item


def _check_values(node: dict[str, object], path: Path, limits: Limits, is_compiled: bool) -> None:
    kinds = node.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not _are_unique_strings(kinds) or not kinds or not _TYPES.issuperset(kinds):
        raise invalid(f"{path}.type", f"must be one or several of {', '.join(sorted(_TYPES))}")
    if not _are_unique_strings(node.get("required", [])):
        raise invalid(f"{path}.required", "must be an array of different strings")
    for key in ("enum", "examples"):
        if key in node and not (isinstance(node[key], list) and node[key]):
            raise invalid(f"{path}.{key}", "must be an array, not empty")
    for key in _COUNT:
        if not _is_count(value := node.get(key, 0)):
            raise invalid(f"{path}.{key}", f"must be a whole number from 0 to {limits.schema_repeat}")
        if value > limits.schema_repeat:
            problem = f"must be a whole number from 0 to {limits.schema_repeat}"
            raise invalid(f"{path}.{key}", problem, limit="schema_repeat")
    for key in _NUMBER:
        if _number(node.get(key, 1)) is None:
            raise invalid(f"{path}.{key}", "must be a number")
    if (_number(node.get("multipleOf", 1)) or 0) <= 0:
        raise invalid(f"{path}.multipleOf", "must be greater than 0")
    for key in _STRING:
        if not isinstance(node.get(key, ""), str):
            raise invalid(f"{path}.{key}", "must be a string")
    for key in _BOOL:
        if not isinstance(node.get(key, True), bool):
            raise invalid(f"{path}.{key}", "must be true or false")
    if not str(node.get("$ref", "#")).startswith("#"):
        raise invalid(f"{path}.$ref", "only references within the schema (#/…) are followed")
    properties = node.get("properties")
    if isinstance(properties, dict) and len(properties) > limits.schema_properties:
        problem = f"at most {limits.schema_properties} in one object, got {len(properties)}"
        raise invalid(f"{path}.properties", problem, limit="schema_properties")
    if "pattern" in node:
        check_pattern(node["pattern"], f"{path}.pattern", limits, is_compiled=is_compiled)
    if isinstance(patterns := node.get("patternProperties"), dict):
        for pattern in patterns:
            check_pattern(pattern, f"{path}.patternProperties", limits, is_compiled=is_compiled)


def _are_unique_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value) and len(set(value)) == len(value)


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_count(value: object) -> TypeGuard[int | float]:
    number = _number(value)
    return number is not None and number >= 0 and number % 1 == 0
