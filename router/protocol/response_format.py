"""`response_format` to the fields by which vLLM 0.29 constrains an answer.

`json_object` and `json_schema` stay as they are; OpenRouter's `grammar` becomes vLLM's `structured_outputs`.

vLLM gives schemas that neither of its grammar backends knows to a third, which writes them out as one regular
expression and makes an automaton of it: seconds for a hundred optional properties, and memory without bound for a
`maxLength` of some thousands. What leads there is `patternProperties`, as a keyword or as the name of anything.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from router.protocol.errors import invalid
from router.protocol.grammar import check_grammar
from router.protocol.limits import Limits
from router.protocol.schema import check_schema

_NAME_CHARS = 64
_TO_THE_SLOW = b'"patternProperties":'  # a key somewhere; within a text its quotes would be escaped


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
        check_grammar(value.get("grammar"), "response_format.grammar", limits)
        return {"structured_outputs": msgspec.json.encode({"grammar": value["grammar"]})}
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
        problem = f"at most {limits.schema_bytes} bytes, got {len(raw)}"
        raise invalid(f"{path}.schema", problem, limit="schema_bytes")
    check_schema(value.get("schema"), f"{path}.schema", limits)
    if _TO_THE_SLOW in msgspec.json.encode(value["schema"]):
        raise invalid(f"{path}.schema", "patternProperties is not supported for answers")


def constraint_of(engine: Mapping[str, bytes]) -> int | None:
    """What an engine has to compile for a request, as a number that is the same for the same constraint; None: nothing.

    Args:
        engine: raw JSON by field, as it goes to the engine: `response_format`, `structured_outputs`, `tools`,
            `tool_choice`.
    """
    parts = [engine[name] for name in ("response_format", "structured_outputs") if name in engine]
    if engine.get("tool_choice", b'"auto"') not in (b'"auto"', b'"none"'):
        parts += [engine.get("tools", b""), engine["tool_choice"]]
    if not parts:
        return None
    return int.from_bytes(hashlib.blake2b(b"\0".join(parts), digest_size=8).digest())
