"""Is this a JSON Schema, and one that an engine can turn into a grammar in bounded time?

The keywords that grammar backends read are checked against a table; others pass. A general validator of meta-schemas is
no replacement: it takes milliseconds for what has to be checked on every request, and bounds neither size nor depth.
"""

import re
from collections.abc import Iterator

from router.protocol.errors import invalid
from router.protocol.limits import Limits

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
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")

Path = str


def check_schema(schema: object, path: Path, limits: Limits) -> None:
    """Check a schema and all its subschemas.

    Raises:
        ApiError: 400, naming the keyword by its path from `path`.
    """
    todo: list[tuple[object, Path, int]] = [(schema, path, 1)]
    seen = 0
    while todo:
        node, where, depth = todo.pop()
        seen += 1
        if depth > limits.schema_depth:
            raise invalid(where, f"the schema is nested deeper than {limits.schema_depth} levels")
        if seen > limits.schema_nodes:
            raise invalid(path, f"more than {limits.schema_nodes} subschemas")
        if isinstance(node, bool) and depth > 1:
            continue
        if not isinstance(node, dict):
            raise invalid(where, "a schema must be an object")
        _check_values(node, where, limits)
        todo.extend((child, f"{where}.{key}", depth + 1) for key, child in _children(node, where))


def _children(node: dict[str, object], path: Path) -> Iterator[tuple[str, object]]:
    for key in (*_SCHEMA, *_SCHEMA_OR_BOOL):
        if key in node:
            yield key, node[key]
    items = node.get("items", True)
    if isinstance(items, list):  # drafts before 2020-12
        if not items:
            raise invalid(f"{path}.items", "must be a schema, or an array of schemas, not empty")
        yield from ((f"items[{index}]", item) for index, item in enumerate(items))
    else:
        yield "items", items
    for key in _SCHEMA_LIST:
        value = node.get(key, [True])
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


def _check_values(node: dict[str, object], path: Path, limits: Limits) -> None:
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
        if not _is_count(node.get(key, 0), limits.schema_repeat):
            raise invalid(f"{path}.{key}", f"must be a whole number from 0 to {limits.schema_repeat}")
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
    if "pattern" in node:
        _check_pattern(node["pattern"], f"{path}.pattern", limits)


def _are_unique_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value) and len(set(value)) == len(value)


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_count(value: object, bound: int) -> bool:
    number = _number(value)
    return number is not None and 0 <= number <= bound and number == int(number)


def _check_pattern(pattern: object, path: Path, limits: Limits) -> None:
    """A regular expression may be long and may repeat, but not so that its automaton becomes huge."""
    if not isinstance(pattern, str):
        raise invalid(path, "must be a string")
    if len(pattern) > limits.pattern_chars:
        raise invalid(path, f"at most {limits.pattern_chars} characters, got {len(pattern)}")
    for low, high in _REPEAT.findall(pattern):
        if max(int(low), int(high or 0)) > limits.pattern_repeat:
            raise invalid(path, f"may repeat at most {limits.pattern_repeat} times")
