"""A conversation as the model will read it: the text that Mistral's template makes, control tokens by their names.

It is what prompts are compared by (see chain) and measured by, not what the engine gets: the engine renders for itself.
The form is that of tokenizer version 7 (Mistral Small 3.1) as mistral-common writes it, which joins the texts of one
message with an empty line, drops trailing spaces of the assistant, puts an image that follows a text before it, and
lists the tools before the last user message. Equal to its bytes but for:

- numbers within tools and arguments that Python would write otherwise (`1e2`, `1.50`), keys given twice
- arguments nested more than 64 deep
- `tool_choice` none, with which the engine may leave out the tools
- other versions: from 11 on tool calls, from 13 on the place of the tools are different

There two prompts that begin alike still have the same rendering; only what the engine's own events name is longer or
shorter, so a match ends early.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Media, Picture
from router.protocol.messages import Message, ToolCall
from router.protocol.structure import check_structure
from router.protocol.wire import read

Item: TypeAlias = bytes | Picture  # texts never stand side by side

_ORDINARY = Limits()
_NULL = msgspec.Raw(b"null")
_BETWEEN = b"\n\n"  # texts of one message


class _Part(msgspec.Struct):
    type: str
    text: msgspec.Raw = msgspec.Raw()
    uuid: str = ""  # of an image; put there by the reader of messages


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = _NULL


class _Tool(msgspec.Struct):
    function: _Function


_parts = msgspec.json.Decoder(list[_Part])
_string = msgspec.json.Decoder(str)
_tools = msgspec.json.Decoder(list[_Tool])
_any = msgspec.json.Decoder()


def render(conversation: Sequence[Message], tools: bytes | None, media: Media) -> list[Item]:
    """The items of a checked and ordered conversation.

    Args:
        conversation: as the engine gets it.
        tools: raw JSON of the array, checked; None: no tools.
        media: the images of the conversation.
    """
    writer = _Writer(media)
    last_user = max((at for at, message in enumerate(conversation) if message.role == "user"), default=-1)
    write = writer.write
    write(b"<s>")
    for at, message in enumerate(conversation):
        match message.role:
            case "user":
                if tools is not None and at == last_user:
                    write(b"[AVAILABLE_TOOLS]" + _listing(tools) + b"[/AVAILABLE_TOOLS]")
                write(b"[INST]")
                writer.content(message.content)
                write(b"[/INST]")
            case "assistant":
                write(writer.text(message.content).rstrip(b" "))
                if message.tool_calls:
                    write(b"[TOOL_CALLS]" + _calls(message.tool_calls))
                if at < len(conversation) - 1:
                    write(b"</s>")  # the last is to be gone on with
            case "tool":
                write(b"[TOOL_RESULTS]%b[TOOL_CONTENT]" % (message.tool_call_id or "").encode())
                write(writer.text(message.content) + b"[/TOOL_RESULTS]")
            case _:
                write(b"[SYSTEM_PROMPT]")
                write(writer.text(message.content))
                write(b"[/SYSTEM_PROMPT]")
    return writer.items()


def render_prompt(text: bytes) -> list[Item]:
    """The items of a prompt of `/completions`, UTF-8."""
    return [b"<s>" + text]


class _Writer:
    def __init__(self, media: Media) -> None:
        self._media = media
        self._texts: list[bytes] = []  # since the last image
        self._items: list[Item] = []
        self.write = self._texts.append

    def items(self) -> list[Item]:
        self._items.append(b"".join(self._texts))
        return self._items

    def content(self, content: bytes | None) -> None:
        """What a user says: texts and images."""
        parts = self._read(content)
        if parts and isinstance(parts[-1], Picture) and not any(isinstance(part, Picture) for part in parts[:-1]):
            parts = [parts[-1], *parts[:-1]]
        before: Item = b""
        for part in parts:
            if isinstance(part, Picture):
                self._items.append(b"".join(self._texts))
                self._texts.clear()
                self._items.append(part)
            else:
                if isinstance(before, bytes) and before:
                    self.write(_BETWEEN)
                self.write(part)
            before = part

    def text(self, content: bytes | None) -> bytes:
        """What anybody else says: texts only."""
        return _BETWEEN.join([part for part in self._read(content) if isinstance(part, bytes)])

    def _read(self, content: bytes | None) -> list[Item]:
        if content is None:
            return []
        if content[:1] == b'"':
            return [self._string(content)]
        pictures = self._media.pictures
        parts: list[Item] = []
        for part in _parts.decode(content):
            if part.uuid:
                parts.append(pictures[part.uuid])
            elif part.type == "text" and (text := self._string(bytes(part.text))):
                parts.append(text)
        return parts

    def _string(self, raw: bytes) -> bytes:
        """The text within a JSON string, decoded only where it has escapes."""
        if b"\\" not in raw:
            return raw[1:-1]
        cut = self._media.body.image(raw)  # a text that looks like an image
        if cut is not None:
            return bytes(cut[1:-1])
        text: str = _string.decode(raw)
        return text.encode()


def _listing(tools: bytes) -> bytes:
    listed = [
        {
            "type": "function",
            "function": {
                "name": tool.function.name,
                "description": tool.function.description or "",
                "parameters": {} if tool.function.parameters == _NULL else _value(bytes(tool.function.parameters)),
            },
        }
        for tool in _tools.decode(tools)
    ]
    return _spaced(listed)


def _calls(calls: list[ToolCall]) -> bytes:
    return _spaced(
        [
            {"name": call.function.name, "arguments": _arguments(call.function.arguments), "id": call.id}
            for call in calls
        ]
    )


def _arguments(text: str) -> object:
    """Arguments are JSON in a string; what is no JSON stays a string, and so does what is too deep to be written."""
    raw = text.encode() or b"{}"
    try:
        check_structure(raw, _ORDINARY)
        read(_any, raw)
    except (ApiError, ValueError):
        return text
    return _value(raw)


def _value(raw: bytes) -> object:
    """Raw JSON as it is; decoded where escapes may be written otherwise than Python would write them."""
    return _any.decode(raw) if b"\\" in raw else msgspec.Raw(raw)


def _spaced(value: object) -> bytes:
    """JSON as Python writes it: a space behind commas and colons, and no escapes that need not be."""
    return msgspec.json.format(msgspec.json.encode(value), indent=0)
