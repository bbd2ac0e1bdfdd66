"""`response_format` to the fields by which vLLM 0.29 constrains an answer.

`json_object` and `json_schema` stay as they are; OpenRouter's `grammar` becomes vLLM's `structured_outputs`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.schema import check_schema

_NAME_CHARS = 64


def engine_fields(value: Mapping[str, Any], raw: bytes, limits: Limits) -> dict[str, bytes]:
    """What goes into the engine's request, as raw JSON by field.

    Raises:
        ApiError: 400, naming the field within `response_format`.
    """
    kind = value.get("type")
    if kind == "text":
        return {}
    if kind == "json_object":
        return {"response_format": raw}
    if kind == "json_schema":
        _check_json_schema(value.get("json_schema"), raw, limits)
        return {"response_format": raw}
    if kind == "grammar":
        return {"structured_outputs": _grammar(value.get("grammar"), limits)}
    raise invalid("response_format.type", "must be text, json_object, json_schema or grammar")


def _check_json_schema(value: object, raw: bytes, limits: Limits) -> None:
    path = "response_format.json_schema"
    if not isinstance(value, dict):
        raise invalid(path, "must be an object with a name and a schema")
    name = value.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= _NAME_CHARS:
        raise invalid(f"{path}.name", f"must be a string of 1 to {_NAME_CHARS} characters")
    if not isinstance(value.get("strict"), bool | None):
        raise invalid(f"{path}.strict", "must be true, false or null")
    if not isinstance(value.get("description"), str | None):
        raise invalid(f"{path}.description", "must be a string")
    if len(raw) > limits.schema_bytes:
        raise invalid(f"{path}.schema", f"at most {limits.schema_bytes} bytes, got {len(raw)}")
    check_schema(value.get("schema"), f"{path}.schema", limits)


def _grammar(grammar: object, limits: Limits) -> bytes:
    path = "response_format.grammar"
    if not isinstance(grammar, str) or not grammar.strip():
        raise invalid(path, "must be a string with a grammar")
    if len(grammar) > limits.grammar_bytes:
        raise invalid(path, f"at most {limits.grammar_bytes} characters, got {len(grammar)}")
    return msgspec.json.encode({"grammar": grammar})
