"""`tools` and `tool_choice` to the chat's: functions that the caller runs.

Tools that Anthropic knows by a type of its own are refused by that type, be they run by its servers (web search, code
execution) or by the caller after a schema that only its models know (bash, text editor): no model here can call them.
What only says how a tool is cached or found is ignored.
"""

from collections.abc import Mapping

from router.protocol.errors import invalid
from router.protocol.messages_api.source import Pieces, Source
from router.protocol.messages_api.values import SHOWN, Object, a_string, an_object, flag, given, objects, text

_CHOICES: Mapping[str, bytes] = {"auto": b'"auto"', "any": b'"required"', "none": b'"none"'}


def tools(source: Source) -> Pieces | None:
    """The chat's array; None: no tools. Raises ApiError 400, naming the tool."""
    raw = given(source.fields, "tools")
    listed = [] if raw is None else objects(raw, "tools")
    if not listed:
        return None
    pieces: Pieces = []
    for index, tool in enumerate(listed):
        pieces += [b",", *_tool(source, tool, f"tools[{index}]")]
    return [b"[", *pieces[1:], b"]"]


def _tool(source: Source, tool: Object, path: str) -> Pieces:
    kind = "custom" if given(tool, "type") is None else text(tool, "type", path)
    if kind != "custom":
        problem = f"{kind[:SHOWN]!r} is a tool of Anthropic's own or a server's, which no model here can call"
        raise invalid(f"{path}.type", f"{problem}; only custom tools are supported")
    name = a_string(tool.get("name"), f"{path}.name")
    where = f"{path}.input_schema"
    an_object(tool.get("input_schema"), where)
    pieces: Pieces = [b'{"type":"function","function":{"name":', bytes(name)]
    if (description := given(tool, "description")) is not None:
        pieces += [b',"description":', *source.pieces(a_string(description, f"{path}.description"))]
    if flag(tool, "strict", path):
        pieces.append(b',"strict":true')
    return [*pieces, b',"parameters":', *source.pieces(tool["input_schema"]), b"}}"]


def tool_choice(source: Source) -> tuple[bytes | None, bool]:
    """The chat's choice (None: none was made), and whether one call at a time is wanted. Raises ApiError 400."""
    raw = given(source.fields, "tool_choice")
    if raw is None:
        return None, False
    fields = an_object(raw, "tool_choice")
    kind = text(fields, "type", "tool_choice")
    is_single = flag(fields, "disable_parallel_tool_use", "tool_choice")
    if kind == "tool":
        name = bytes(a_string(fields.get("name"), "tool_choice.name"))
        return b'{"type":"function","function":{"name":%b}}' % name, is_single
    if kind not in _CHOICES:
        raise invalid("tool_choice.type", f"must be auto, any, tool or none, got {kind[:SHOWN]!r}")
    return _CHOICES[kind], is_single
