"""`tools` and `tool_choice` as a chat has them: functions stand one level deeper there.

Only functions are offered. Tools that another service would run are refused by name: who asks for a web search and gets
none would take the answer for a searched one. `allowed_tools` leaves the others out of the prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from router.protocol.errors import invalid
from router.protocol.responses.raw import is_null, members, objects, string, word, write

_MODES = ("auto", "required")
_KEPT = ("description", "parameters", "strict")
_SHOWN = 64  # characters of a caller's word in an error


@dataclass(frozen=True, slots=True)
class Tools:
    """Both fields, translated; None: not sent.

    Attributes:
        tools, choice: as a chat has them.
        origins: of each of the chat's tools its index in the caller's array.
        echo: the caller's tools, all keys there that clients insist on.
    """

    tools: bytes | None = None
    choice: bytes | None = None
    origins: Sequence[int] = ()
    echo: bytes = b"[]"


def read_tools(raw: msgspec.Raw | None, choice: msgspec.Raw | None) -> Tools:
    """Translate both fields; None: not sent. Parameters, and names that nobody has, are left to the chat's checks.

    Raises:
        ApiError: 400, naming the tool and its field.
    """
    given = [] if raw is None else objects(raw, "tools")
    functions = [_function(tool, f"tools[{index}]") for index, tool in enumerate(given)]
    names = [word(tool, "name", f"tools[{index}]") for index, tool in enumerate(given)]
    chosen, allowed = (None, None) if choice is None else _choice(choice, frozenset(names))
    origins = [index for index, name in enumerate(names) if allowed is None or name in allowed]
    return Tools(
        tools=None if raw is None else b"[" + b",".join([functions[index] for index in origins]) + b"]",
        choice=chosen,
        origins=tuple(origins),
        echo=b"[" + b",".join([_echo(tool) for tool in given]) + b"]",
    )


def _function(tool: dict[str, msgspec.Raw], path: str) -> bytes:
    kind = word(tool, "type", path)
    if kind != "function":
        problem = f"the tool {kind[:_SHOWN]!r} is not offered here; only tools of type 'function' are"
        raise invalid(f"{path}.type", problem)
    function = {"name": string(tool, "name", path)}
    for key in _KEPT:
        if not is_null(tool.get(key)):
            function[key] = bytes(tool[key])
    if function.get("description", b'"')[:1] != b'"':
        raise invalid(f"{path}.description", "must be a string")
    if function.get("parameters", b"{")[:1] != b"{":
        raise invalid(f"{path}.parameters", "must be an object")
    if function.get("strict", b"true") not in (b"true", b"false"):
        raise invalid(f"{path}.strict", "must be true or false")
    return write({"type": b'"function"', "function": write(function)})


def _echo(tool: dict[str, msgspec.Raw]) -> bytes:
    shown = {"type": b'"function"', "name": bytes(tool["name"])}
    return write(shown | {key: bytes(tool.get(key, b"null")) for key in _KEPT})


def _choice(raw: msgspec.Raw, names: frozenset[str]) -> tuple[bytes, frozenset[str] | None]:
    """The chat's choice, and the names of the tools it is limited to; None: to all."""
    if bytes(memoryview(raw)[:1]) == b'"':
        return bytes(raw), None
    choice = members(raw, "tool_choice")
    kind = word(choice, "type", "tool_choice")
    if kind == "function":
        name = string(choice, "name", "tool_choice")
        return write({"type": b'"function"', "function": write({"name": name})}), None
    if kind != "allowed_tools":
        problem = f"the tool {kind[:_SHOWN]!r} is not offered here; must be 'function' or 'allowed_tools'"
        raise invalid("tool_choice.type", problem)
    mode = word(choice, "mode", "tool_choice")
    if mode not in _MODES:
        raise invalid("tool_choice.mode", f"must be one of {', '.join(_MODES)}")
    allowed = set()
    for index, tool in enumerate(objects(choice.get("tools", msgspec.Raw(b"null")), "tool_choice.tools")):
        path = f"tool_choice.tools[{index}]"
        if word(tool, "type", path) != "function":
            raise invalid(f"{path}.type", "only tools of type 'function' are offered here")
        name_ = word(tool, "name", path)
        if name_ not in names:
            raise invalid(f"{path}.name", f"{name_[:_SHOWN]!r} is none of the tools")
        allowed.add(name_)
    if not allowed:
        raise invalid("tool_choice.tools", "must name at least one tool")
    return b'"%b"' % mode.encode(), frozenset(allowed)
