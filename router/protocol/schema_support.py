"""JSON schemas for answers: what vLLM's compiler (xgrammar 0.2) refuses, and what it takes but does not keep.

vLLM refuses a schema as a whole, without a word on what it was; here the keyword is named. What the compiler passes
over would make an answer that fits the schema by luck alone: whoever asks for `strict` is told so, as by OpenAI.
Without it such a keyword is a wish.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from router.protocol.errors import invalid
from router.protocol.markup.vocabulary import CONSTRAINTS
from router.protocol.schema import children

# vLLM's own list of what it keeps from xgrammar, by type, as `vllm/v1/structured_output/backend_xgrammar.py` has it
_FORMATS = tuple(
    "date date-time duration email hostname ipv4 ipv6 json-pointer relative-json-pointer time uri uri-reference "
    "uri-template uuid".split()
)
_REFUSED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "integer": ("multipleOf",),
        "number": ("multipleOf",),
        "array": ("uniqueItems", "contains", "minContains", "maxContains"),
        "object": ("patternProperties", "propertyNames"),
    }
)
_PAIRS = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minimum", "maximum"),
)
_PASSED_OVER = (
    "not if then else dependentRequired dependentSchemas dependencies contains minContains maxContains propertyNames "
    "multipleOf $dynamicRef $recursiveRef"
).split()
_TYPE_OF: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("minLength", "maxLength", "pattern", "format"), "string")
    | dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), "number")
    | dict.fromkeys(("minItems", "maxItems"), "array")
)


def check_support(schema: object, path: str, *, is_strict: bool) -> None:
    """Check a schema whose keywords are known to be good (see schema.check_schema).

    Raises:
        ApiError: 400, naming the keyword.
    """
    _check_values(schema, path)
    todo = [(schema, path)]
    while todo:
        node, where = todo.pop()
        if not isinstance(node, dict):
            continue
        _check_subschema(node, where)
        if is_strict:
            _check_strict(node, where)
        todo.extend((child, f"{where}.{key}"[:200]) for key, child in children(node, where))


def _check_values(schema: object, path: str) -> None:
    """As vLLM does it: every object in it counts, even a value within an enum."""
    todo: list[tuple[Any, str]] = [(schema, path)]
    while todo:
        value, where = todo.pop()
        if isinstance(value, list):
            todo.extend((item, where) for item in value)
            continue
        if not isinstance(value, dict):
            continue
        kind = value.get("type")
        for key in _REFUSED.get(kind, ()) if isinstance(kind, str) else ():
            if key in value:
                raise invalid(f"{where}.{key}", f"is not supported for answers, with type {kind}")
        if kind == "string":
            _check_string(value, where)
        todo.extend((item, f"{where}.{key}"[:200]) for key, item in value.items())


def _check_string(value: dict[str, Any], path: str) -> None:
    if "format" in value and value["format"] not in _FORMATS:
        raise invalid(f"{path}.format", f"must be one of {', '.join(_FORMATS)} for answers")
    for key in ("pattern", "format"):
        if key in value and ("minLength" in value or "maxLength" in value):
            raise invalid(f"{path}.{key}", "is not supported for answers beside minLength and maxLength")


def _check_subschema(node: dict[str, Any], path: str) -> None:
    if isinstance(node.get("items"), list):
        raise invalid(f"{path}.items", "must be one schema for answers; several are prefixItems")
    for least, most in _PAIRS:
        if least in node and most in node and node[least] > node[most]:
            raise invalid(f"{path}.{most}", f"is less than {least}")
    if node.get("type") == "integer":
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if node.get(key, 0) % 1:
                raise invalid(f"{path}.{key}", "must be a whole number for answers, with type integer")


def _check_strict(node: dict[str, Any], path: str) -> None:
    for key in _PASSED_OVER:
        if key in node:
            raise invalid(f"{path}.{key}", "cannot be guaranteed; leave it out, or strict")
    if node.get("uniqueItems", False):
        raise invalid(f"{path}.uniqueItems", "cannot be guaranteed; leave it out, or strict")
    if len(node.get("allOf", ())) > 1:
        raise invalid(f"{path}.allOf", "cannot be guaranteed with several schemas; write one, or leave out strict")
    for key in ("$ref", "anyOf", "oneOf", "allOf"):
        if key in node and (others := [other for other in node if other != key and other in CONSTRAINTS]):
            raise invalid(f"{path}.{others[0]}"[:200], f"cannot be guaranteed beside {key}; leave it out, or strict")
    if not {"type", "enum", "const"}.isdisjoint(node):
        return
    for key, kind in _TYPE_OF.items():
        if key in node:
            raise invalid(f"{path}.{key}", f'cannot be guaranteed without "type": "{kind}" beside it')
