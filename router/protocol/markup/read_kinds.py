"""The keywords of each type, to its node. Their own types were checked before (see schema.check_schema)."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from router.protocol.errors import invalid
from router.protocol.markup.digits import LARGEST, LARGEST_STRICT, number
from router.protocol.markup.formats import FORMATS
from router.protocol.markup.nodes import Constants, Items, Member, Node, Number, Record, Text

Schema = Mapping[str, object]
NumberOf = Callable[[object, str], int]  # a subschema's, at its path


def _record(schema: Schema, path: str, number_of: NumberOf) -> Node:
    properties = cast(dict[str, object], schema.get("properties", {}))
    required = cast(list[str], schema.get("required", []))
    if not properties and schema.get("additionalProperties") is not False:
        raise invalid(f"{path}.properties", "is required: names are not made up, so the object would always be empty")
    for name in required:
        if name not in properties:
            raise invalid(f"{path}.required", f"names {name[:64]!r}, which is not among the properties")
    for key in ("additionalProperties", "unevaluatedProperties"):
        if not isinstance(schema.get(key, False), bool):
            raise invalid(f"{path}.{key}", "must be true or false for xml and yaml: names are not made up")
    if _count(schema, "minProperties", 0) > len(required):
        raise invalid(f"{path}.minProperties", "is not supported for xml and yaml beyond the properties required")
    if _count(schema, "maxProperties", len(properties)) < len(properties):
        raise invalid(f"{path}.maxProperties", "is not supported for xml and yaml below the number of properties")
    needed = frozenset(required)
    members = [
        Member(name, number_of(value, f"{path}.properties.{name}"[:200]), name in needed)
        for name, value in properties.items()
    ]
    return Record(tuple(members))


def _items(schema: Schema, path: str, number_of: NumberOf) -> Node:
    if not isinstance(items := schema.get("items"), dict):
        raise invalid(f"{path}.items", "must be one schema for all items, for xml and yaml")
    if schema.get("uniqueItems", False):
        raise invalid(f"{path}.uniqueItems", "is not supported for xml and yaml")
    least, most = _range(schema, "minItems", "maxItems", path)
    return Items(number_of(items, f"{path}.items"[:200]), least, most)


def _text(schema: Schema, path: str, _: NumberOf) -> Node:
    least, most = _range(schema, "minLength", "maxLength", path)
    if (name := str(schema.get("format", ""))) and name not in FORMATS:
        raise invalid(f"{path}.format", f"must be one of {', '.join(FORMATS)} for xml and yaml")
    if name and (least, most) != (0, None):
        raise invalid(f"{path}.format", "is not supported beside minLength and maxLength for xml and yaml")
    return Text(least, most, name)


def _integer(schema: Schema, path: str, _: NumberOf) -> Node:
    if schema.get("multipleOf", 1) != 1:
        raise invalid(f"{path}.multipleOf", "is not supported for xml and yaml")
    low, high = -LARGEST, LARGEST
    for key, step in (("minimum", 0), ("exclusiveMinimum", 1)):
        if (bound := _bound(schema, key, path, LARGEST)) is not None:
            low = max(low, math.floor(bound) + 1 if step else math.ceil(bound))
    for key, step in (("maximum", 0), ("exclusiveMaximum", 1)):
        if (bound := _bound(schema, key, path, LARGEST)) is not None:
            high = min(high, math.ceil(bound) - 1 if step else math.floor(bound))
    return _some(Number(low, high, True), path)


def _number(schema: Schema, path: str, _: NumberOf) -> Node:
    low, is_low_excluded = _tighter(schema, "minimum", "exclusiveMinimum", path, 1)
    high, is_high_excluded = _tighter(schema, "maximum", "exclusiveMaximum", path, -1)
    return _some(Number(low, high, False, is_low_excluded, is_high_excluded), path)


def _tighter(schema: Schema, with_it: str, without: str, path: str, sign: int) -> tuple[int, bool]:
    """The bound that counts, and whether it is itself excluded; `sign`: 1 where the larger one counts."""
    found = (sign * -LARGEST, False)
    for key, is_excluded in ((with_it, False), (without, True)):
        bound = _bound(schema, key, path, LARGEST_STRICT if is_excluded else LARGEST)
        if bound is None:
            continue
        if bound % 1:
            raise invalid(f"{path}.{key}", "must be a whole number for xml and yaml")
        found = max(found, (int(bound), is_excluded), key=lambda each: (sign * each[0], each[1]))
    return found


def _some(node: Number, path: str) -> Number:
    if not number(node):
        raise invalid(path, "no number is within the bounds")
    return node


def _bound(schema: Schema, key: str, path: str, largest: int) -> int | float | None:
    bound = cast(int | float | None, schema.get(key))
    if bound is not None and abs(bound) > largest:
        raise invalid(f"{path}.{key}", f"must be within {-largest} and {largest} for xml and yaml")
    return bound


def _count(schema: Schema, key: str, otherwise: int) -> int:
    return int(cast(float, schema.get(key, otherwise)))


def _range(schema: Schema, least: str, most: str, path: str) -> tuple[int, int | None]:
    low = _count(schema, least, 0)
    high = _count(schema, most, 0) if most in schema else None
    if high is not None and high < low:
        raise invalid(f"{path}.{most}", f"is less than {least}")
    return low, high


def _flag(_: Schema, __: str, ___: NumberOf) -> Node:
    return Constants((True, False))


def _nothing(_: Schema, __: str, ___: NumberOf) -> Node:
    return Constants((None,))


READERS: Mapping[str, Callable[[Schema, str, NumberOf], Node]] = MappingProxyType(
    {
        "object": _record,
        "array": _items,
        "string": _text,
        "integer": _integer,
        "number": _number,
        "boolean": _flag,
        "null": _nothing,
    }
)
