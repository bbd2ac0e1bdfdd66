"""`response_format` to the fields by which vLLM 0.29 constrains an answer.

`json_object` and `json_schema` stay as they are; all else becomes vLLM's `structured_outputs`: OpenRouter's `grammar`,
and beyond OpenRouter `regex`, `choice`, and `xml` and `yaml` by a schema, for which a grammar is made (see markup).

vLLM gives schemas that neither of its grammar backends knows to a third, which writes them out as one regular
expression and makes an automaton of it: seconds for a hundred optional properties, and memory without bound for a
`maxLength` of some thousands. What leads there is `patternProperties`, as a keyword or as the name of anything.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from router.protocol.answer_pattern import write_pattern
from router.protocol.errors import invalid
from router.protocol.grammar import check_grammar
from router.protocol.limits import Limits
from router.protocol.markup.compile import compile_markup
from router.protocol.schema import check_schema
from router.protocol.schema_support import check_support

_PATH = "response_format"
_NAME_CHARS = 64
_TO_THE_SLOW = b'"patternProperties":'  # a key somewhere; within a text its quotes would be escaped
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def engine_fields(value: Mapping[str, Any], raw: bytes, limits: Limits) -> dict[str, bytes]:
    """What goes into the engine's request, as raw JSON by field.

    Raises:
        ApiError: 400, naming the field within `response_format`.
    """
    match value.get("type"):
        case "text":
            return {}
        case "json_object":
            return {"response_format": raw}
        case "json_schema":
            _check_json_schema(value.get("json_schema"), raw, limits)
            return {"response_format": raw}
        case "grammar":
            check_grammar(value.get("grammar"), f"{_PATH}.grammar", limits)
            return _structured("grammar", value["grammar"])
        case "regex":
            return _structured("regex", _regex(value, limits))
        case "choice":
            _check_choice(value.get("choice"), limits)
            return _structured("choice", value["choice"])
        case "xml" | "yaml":
            _check_size(raw, f"{_PATH}.schema", limits)
            return _structured("grammar", compile_markup(value, _PATH, limits))
    raise invalid(f"{_PATH}.type", "must be text, json_object, json_schema, grammar, regex, choice, xml or yaml")


def _structured(kind: str, constraint: object) -> dict[str, bytes]:
    return {"structured_outputs": msgspec.json.encode({kind: constraint})}


def _check_json_schema(value: object, raw: bytes, limits: Limits) -> None:
    path = f"{_PATH}.json_schema"
    if not isinstance(value, dict):
        raise invalid(path, "must be an object with a name and a schema")
    name = value.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= _NAME_CHARS:
        raise invalid(f"{path}.name", f"must be a string of 1 to {_NAME_CHARS} characters")
    is_strict = value.get("strict")
    if not isinstance(is_strict, bool | None):
        raise invalid(f"{path}.strict", "must be true, false or null")
    if not isinstance(value.get("description"), str | None):
        raise invalid(f"{path}.description", "must be a string")
    _check_size(raw, f"{path}.schema", limits)
    check_schema(value.get("schema"), f"{path}.schema", limits)
    if _TO_THE_SLOW in msgspec.json.encode(value["schema"]):
        raise invalid(f"{path}.schema", "patternProperties is not supported for answers")
    check_support(value["schema"], f"{path}.schema", is_strict=bool(is_strict))


def _check_size(raw: bytes, path: str, limits: Limits) -> None:
    if len(raw) > limits.schema_bytes:
        raise invalid(path, f"at most {limits.schema_bytes} bytes, got {len(raw)}", limit="schema_bytes")


def _regex(value: Mapping[str, Any], limits: Limits) -> str:
    """The pattern is in `regex`, or `pattern` as JSON Schema calls it."""
    if "regex" in value and "pattern" in value:
        raise invalid(f"{_PATH}.pattern", "give regex or pattern, not both")
    key = "pattern" if "pattern" in value else "regex"
    return write_pattern(value.get(key), f"{_PATH}.{key}", limits)


def _check_choice(value: object, limits: Limits) -> None:
    path = f"{_PATH}.choice"
    if not isinstance(value, list) or not value:
        raise invalid(path, "must be an array of strings, not empty")
    if len(value) > limits.choices:
        raise invalid(path, f"at most {limits.choices} texts, got {len(value)}", limit="choices")
    for index, text in enumerate(value):
        if not isinstance(text, str) or not text:
            raise invalid(f"{path}[{index}]", "must be a string, not empty")
        if _CONTROL.search(text):
            raise invalid(f"{path}[{index}]", "must not contain control characters or line breaks")
    if len(set(value)) < len(value):
        raise invalid(path, "holds a text twice")
    size = sum(len(text.encode()) for text in value)
    if size > limits.grammar_bytes:
        raise invalid(path, f"at most {limits.grammar_bytes} bytes in all, got {size}", limit="grammar_bytes")


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
