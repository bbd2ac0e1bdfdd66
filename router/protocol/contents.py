"""Contents of messages as raw JSON: joined, and written, without decoding their text."""

import msgspec

from router.protocol.body import is_placeholder
from router.protocol.messages import Message

_parts = msgspec.json.Decoder(list[msgspec.Raw])


def join(first: bytes | None, second: bytes | None) -> bytes | None:
    """Two contents as one: strings with an empty line between, anything else as an array of parts."""
    if first is None or second is None:
        return second if first is None else first
    are_cut = is_placeholder(first) or is_placeholder(second)  # see body: they must stay strings of their own
    if first[:1] == second[:1] == b'"' and not are_cut:
        return first[:-1] + b"\\n\\n" + second[1:]
    return b"[" + b",".join([part for content in (first, second) for part in _as_parts(content)]) + b"]"


def _as_parts(content: bytes) -> list[bytes]:
    if content[:1] == b'"':
        return [b'{"type":"text","text":' + content + b"}"]
    return [bytes(part) for part in _parts.decode(content)]


def write(messages: list[Message]) -> bytes:
    """The `messages` array as the engine gets it."""
    return msgspec.json.encode([_fields(message) for message in messages])


def _fields(message: Message) -> dict[str, object]:
    fields: dict[str, object] = {"role": message.role}
    if message.content is not None:
        fields["content"] = msgspec.Raw(message.content)
    if message.tool_calls:
        fields["tool_calls"] = message.tool_calls
    if message.tool_call_id is not None:
        fields["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        fields["name"] = message.name
    return fields
