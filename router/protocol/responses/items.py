"""`instructions` and `input` as the messages of a chat.

Every item that says something becomes one message: also each function call, for calls that follow each other are merged
with what the assistant said before them where conversations are put in order (see mistral). Reasoning of earlier
answers is dropped, as a chat's is. Items that stand for something stored elsewhere are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from router.protocol.errors import invalid
from router.protocol.responses.parts import content, file_annotations
from router.protocol.responses.raw import is_null, objects, string, word, write

_ROLES = ("user", "assistant", "system", "developer")
_SHOWN = 64  # characters of a caller's word in an error
_NULL = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message of the chat stands in the caller's body."""

    path: str  # input[3]
    content: str  # input[3].output
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """The chat's `messages`, and where each comes from."""

    messages: bytes
    origins: tuple[Origin, ...]


def read_conversation(
    given: msgspec.Raw, instructions: msgspec.Raw | None, earlier: msgspec.Raw | None = None
) -> Conversation:
    """Translate both fields.

    Args:
        given: `input`.
        instructions: None if they were not sent.
        earlier: items that were remembered, for which `previous_response_id` stands; None: there are none.

    Raises:
        ApiError: 400, naming the item and its field.
    """
    messages: list[bytes] = []
    origins: list[Origin] = []
    if instructions is not None:
        text = string({"instructions": instructions}, "instructions", "")
        messages.append(write({"role": b'"system"', "content": text}))
        origins.append(Origin("instructions", "instructions"))
    sources = [] if earlier is None else [(earlier, "previous_response_id")]
    if bytes(memoryview(given)[:1]) == b"[":
        sources.append((given, "input"))
    for items, path in sources:
        for index, item in enumerate(objects(items, path)):
            if (read := _item(item, f"{path}[{index}]")) is not None:
                messages.append(read[0])
                origins.append(read[1])
    if bytes(memoryview(given)[:1]) == b'"':
        messages.append(write({"role": b'"user"', "content": bytes(given)}))
        origins.append(Origin("input", "input"))
    elif bytes(memoryview(given)[:1]) != b"[":
        raise invalid("input", "must be a string or an array of items")
    return Conversation(b"[" + b",".join(messages) + b"]", tuple(origins))


def _item(item: Mapping[str, msgspec.Raw], path: str) -> tuple[bytes, Origin] | None:
    kind = "message" if "type" not in item and "role" in item else word(item, "type", path)
    if kind == "message":
        return _message(item, path), Origin(path, f"{path}.content")
    if kind == "function_call":
        return _call(item, path), Origin(path, path, is_call=True)
    if kind == "function_call_output":
        result = content(item.get("output", _NULL), f"{path}.output")
        message = {"role": b'"tool"', "tool_call_id": string(item, "call_id", path), "content": result}
        return write(message), Origin(path, f"{path}.output")
    if kind == "reasoning":
        return None
    if kind == "item_reference":
        raise invalid(path, "nothing is stored here that could be referred to; send the item itself")
    raise invalid(f"{path}.type", f"items of type {kind[:_SHOWN]!r} are not supported")


def _message(item: Mapping[str, msgspec.Raw], path: str) -> bytes:
    role = word(item, "role", path)
    if role not in _ROLES:
        raise invalid(f"{path}.role", f"must be one of {', '.join(_ROLES)}, got {role[:_SHOWN]!r}")
    message = {"role": b'"%b"' % role.encode()}
    said = item.get("content", _NULL)
    if role == "assistant" and is_null(said):
        return write(message)
    message["content"] = content(said, f"{path}.content")
    if role == "assistant" and (annotations := file_annotations(said, f"{path}.content")):
        message["annotations"] = b"[" + b",".join(annotations) + b"]"
    return write(message)


def _call(item: Mapping[str, msgspec.Raw], path: str) -> bytes:
    function = write({"name": string(item, "name", path), "arguments": string(item, "arguments", path)})
    call = write({"id": string(item, "call_id", path), "type": b'"function"', "function": function})
    return write({"role": b'"assistant"', "tool_calls": b"[" + call + b"]"})
