"""`tools` and `tool_choice`: names that Mistral's templates accept, parameters that are schemas, choices that exist."""

import re

import msgspec

from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.schema import check_schema
from router.protocol.schema_support import check_support
from router.protocol.wire import read

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # mistral-common's rule, and OpenAI's
NAME_RULE = "must be 1 to 64 letters, digits, underscores or dashes"


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class _Tool(msgspec.Struct):
    type: str
    function: _Function | None = None


class _Chosen(msgspec.Struct):
    name: str


class _Choice(msgspec.Struct):
    type: str
    function: _Chosen | None = None


_tools = msgspec.json.Decoder(list[_Tool])
_choice = msgspec.json.Decoder(str | _Choice)


def is_name(name: str) -> bool:
    """May a function be called so?"""
    return _NAME.fullmatch(name) is not None


def check_tools(raw: bytes, limits: Limits, *, is_compiled: bool = False) -> frozenset[str]:
    """The names of the tools. `is_compiled`: a call is demanded, so an engine makes a grammar of their parameters.

    Raises:
        ApiError: 400, naming the tool and its field.
    """
    if len(raw) > limits.tools_bytes:
        raise invalid("tools", f"at most {limits.tools_bytes} bytes, got {len(raw)}", limit="tools_bytes")
    try:
        tools: list[_Tool] = read(_tools, raw)
    except ValueError as error:
        raise invalid("tools", str(error)) from None
    if len(tools) > limits.tools:
        raise invalid("tools", f"at most {limits.tools} tools, got {len(tools)}", limit="tools")
    names: set[str] = set()
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        if tool.type != "function" or tool.function is None:
            raise invalid(f"{path}.type", f"only tools of type 'function' are supported, got {tool.type[:64]!r}")
        name = tool.function.name
        if not is_name(name):
            raise invalid(f"{path}.function.name", NAME_RULE)
        if name in names:
            raise invalid(f"{path}.function.name", f"{name!r} is given twice")
        names.add(name)
        if tool.function.parameters is not None:
            where = f"{path}.function.parameters"
            check_schema(tool.function.parameters, where, limits, is_compiled=is_compiled)
            if is_compiled:
                check_support(tool.function.parameters, where, is_strict=False)
    return frozenset(names)


def check_tool_choice(raw: bytes, names: frozenset[str]) -> None:
    """Raise ApiError (400) if the choice is none of the API's, or names a tool that is not there."""
    try:
        choice: str | _Choice = read(_choice, raw)
    except ValueError as error:
        raise invalid("tool_choice", str(error)) from None
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise invalid("tool_choice", "must be none, auto, required or an object that names a function")
        if choice == "required" and not names:
            raise invalid("tool_choice", "needs tools")
    elif choice.type != "function" or choice.function is None:
        raise invalid("tool_choice.type", "must be 'function', with the function's name")
    elif choice.function.name not in names:
        raise invalid("tool_choice.function.name", f"{choice.function.name[:64]!r} is none of the tools")
