"""`enum` and `const`: values that are written out."""

from collections.abc import Mapping

from router.protocol.errors import invalid
from router.protocol.markup.nodes import Constant, Constants

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def read_constants(schema: Mapping[str, object], path: str) -> Constants:
    """Those of the values that `type` allows.

    Raises:
        ApiError: 400: an object or array, or no value is left.
    """
    key = "enum" if "enum" in schema else "const"
    given = schema[key]
    values = given if key == "enum" and isinstance(given, list) else [given]
    if key == "enum" and "const" in schema:
        values = [value for value in values if _same(value, schema["const"])]
    kinds = schema.get("type")
    names = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else list(_TYPES)
    left: dict[tuple[bool, Constant], Constant] = {}
    for value in values:
        if not isinstance(value, str | int | float | None):
            raise invalid(f"{path}.{key}", "may hold strings, numbers, true, false and null for xml and yaml")
        if any(_fits(value, name) for name in names):
            left.setdefault(key_of(value), value)
    if not left:
        raise invalid(f"{path}.{key}", "holds no value that fits the rest of its schema")
    return Constants(tuple(left.values()))


def key_of(value: Constant) -> tuple[bool, Constant]:
    """Equal for values that JSON Schema calls equal: 1 and 1.0, but not 1 and true."""
    return isinstance(value, bool), value


def _same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _fits(value: Constant, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    is_whole = not isinstance(value, float) or value.is_integer()
    return isinstance(value, _TYPES.get(name, ())) and (name != "integer" or is_whole)
