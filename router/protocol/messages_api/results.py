"""Results of tools to tool messages, which hold text only.

- Pictures and documents in a result follow in the user message behind; a result that said nothing else says where to
  look.
- One with `is_error` begins with the word "Error:": chats have no other way to tell.
"""

import msgspec

from router.protocol.messages_api.parts import Part, array, read_parts, said, string_part
from router.protocol.messages_api.paths import Origin
from router.protocol.messages_api.source import Pieces, Source
from router.protocol.messages_api.values import Object, a_string, flag, given, is_string, objects

_ERROR = b"Error:"
_BELOW = b"(see the next message)"


def tool_message(source: Source, block: Object, path: str) -> tuple[Pieces, Origin, list[Part]]:
    """The message, where it comes from, and the parts that it cannot hold. Raises ApiError 400."""
    call_id = a_string(block.get("tool_use_id"), f"{path}.tool_use_id")
    where = f"{path}.content"
    content = given(block, "content")
    is_error = flag(block, "is_error", path)
    head = b'{"role":"tool","tool_call_id":%b,"content":' % bytes(call_id)
    if not is_error and (content is None or is_string(content)):
        plain = b'""' if content is None else content
        return [head, *source.pieces(plain), b"}"], Origin(path), []
    parts = [] if content is None else _parts(source, content, where)
    texts, others = [part for part in parts if part.is_text], [part for part in parts if not part.is_text]
    if others and not texts:
        texts = [said(_BELOW, where)]
    if is_error:
        texts.insert(0, said(_ERROR, where))
    texts = texts or [said(b"", where)]
    return [head, *array(texts), b"}"], Origin(path, tuple(part.origin for part in texts)), others


def _parts(source: Source, content: msgspec.Raw, path: str) -> list[Part]:
    if is_string(content):
        return [string_part(source, content, path)]
    parts: list[Part] = []
    for index, block in enumerate(objects(content, path)):
        parts += read_parts(source, block, f"{path}[{index}]", "blocks within a tool result")
    return parts
