"""The few fields that the three APIs write differently, from chat's form to another's and back.

On decoded values: presets are small. What is not of the form that is expected is passed as it is, for the route's own
parser to refuse by name.
"""

from collections.abc import Mapping
from typing import TypeAlias

from router.protocol.presets.preset import Api

Json: TypeAlias = object
Fields: TypeAlias = dict[str, Json]

_CHOICE_TO_MESSAGES = {"auto": "auto", "required": "any", "none": "none"}
_CHOICE_TO_CHAT = {kind: word for word, kind in _CHOICE_TO_MESSAGES.items()}
_RENAMED: Mapping[Api, Mapping[str, str]] = {
    Api.RESPONSES: {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"},
    Api.MESSAGES: {"max_completion_tokens": "max_tokens", "stop": "stop_sequences"},
}
_TO_CHAT: Mapping[Api, Mapping[str, str]] = {
    Api.RESPONSES: {"max_output_tokens": "max_tokens"},
    Api.MESSAGES: {"stop_sequences": "stop"},
}


def to_api(fields: Fields, api: Api) -> Fields:
    """Chat's fields in the words of another API."""
    if api is Api.CHAT:
        return fields
    names = _RENAMED[api]
    written = {names.get(name, name): value for name, value in fields.items()}
    if isinstance(tools := written.get("tools"), list):
        written["tools"] = [_tool_to(tool, api) for tool in tools]
    if (choice := written.get("tool_choice")) is not None:
        written["tool_choice"] = _choice_to(choice, api)
    if isinstance(stop := written.get("stop_sequences"), str):
        written["stop_sequences"] = [stop]
    if (form := written.pop("response_format", None)) is not None:
        key = "text" if api is Api.RESPONSES else "output_config"
        written[key] = {"format": _flat(form, "json_schema")}
    return written


def to_chat(fields: Fields, api: Api) -> Fields:
    """Another API's fields in chat's words; without what only that API has."""
    if api is Api.CHAT:
        return fields
    names = _TO_CHAT[api]
    read = {names.get(name, name): value for name, value in fields.items()}
    if isinstance(tools := read.get("tools"), list):
        read["tools"] = [_tool_from(tool, api) for tool in tools]
    if (choice := read.get("tool_choice")) is not None:
        read["tool_choice"] = _choice_from(choice, api)
    form = read.pop("text" if api is Api.RESPONSES else "output_config", None)
    if isinstance(form, dict) and isinstance(form.get("format"), dict):
        read["response_format"] = _nested(form["format"], "json_schema")
    return read


def name_of(tool: Json, api: Api) -> Json:
    """By which two tools are the same; None: it has no name."""
    if api is Api.CHAT and isinstance(tool, dict):
        tool = tool.get("function")
    return tool.get("name") if isinstance(tool, dict) else None


def _tool_to(tool: Json, api: Api) -> Json:
    flat = _flat(tool, "function")
    if api is Api.RESPONSES or not isinstance(flat, dict):
        return flat
    known = {"name": flat.get("name"), "description": flat.get("description"), "input_schema": flat.get("parameters")}
    return {name: value for name, value in known.items() if value is not None}


def _tool_from(tool: Json, api: Api) -> Json:
    if api is Api.RESPONSES or not isinstance(tool, dict):
        return _nested(tool, "function")
    names = {"name": "name", "description": "description", "input_schema": "parameters"}
    return {"type": "function", "function": {ours: tool[theirs] for theirs, ours in names.items() if theirs in tool}}


def _choice_to(choice: Json, api: Api) -> Json:
    if isinstance(choice, str):
        return {"type": _CHOICE_TO_MESSAGES.get(choice, choice)} if api is Api.MESSAGES else choice
    flat = _flat(choice, "function")
    if api is Api.MESSAGES and isinstance(flat, dict):
        return {"type": "tool", "name": flat.get("name")}
    return flat


def _choice_from(choice: Json, api: Api) -> Json:
    if api is Api.MESSAGES and isinstance(choice, dict):
        kind = choice.get("type")
        if kind == "tool":
            return {"type": "function", "function": {"name": choice.get("name")}}
        return _CHOICE_TO_CHAT.get(kind, kind) if isinstance(kind, str) else kind
    return _nested(choice, "function")


def _flat(value: Json, kind: str) -> Json:
    """`{type, kind: {…}}` to `{type, …}`."""
    if isinstance(value, dict) and value.get("type") == kind and isinstance(value.get(kind), dict):
        return {"type": kind, **value[kind]}
    return value


def _nested(value: Json, kind: str) -> Json:
    """`{type, …}` to `{type, kind: {…}}`."""
    if isinstance(value, dict) and value.get("type") == kind and kind not in value:
        return {"type": kind, kind: {name: each for name, each in value.items() if name != "type"}}
    return value
