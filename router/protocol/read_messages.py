"""Reads the `messages` array: checks it, measures it, and keeps raw JSON wherever nothing has to be known of it.

Text is never decoded, only its length is taken. Objects within messages follow JSON's usual reading: of a key that is
given twice the last counts, here as in the engine.
"""

from dataclasses import dataclass

import msgspec

from router.protocol.body import Body
from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.media import Media
from router.protocol.messages import ROLES, Message, ToolCall
from router.protocol.wire import read

_THOUGHTS = ("reasoning", "reasoning_content", "reasoning_details")
_OTHER_PARTS = {"input_audio": "audio", "file": "file", "video_url": "video", "input_video": "video"}
_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_string = msgspec.json.Decoder(str)
_tool_calls = msgspec.json.Decoder(list[ToolCall])


@dataclass(frozen=True, slots=True)
class Messages:
    """A conversation and its size."""

    items: list[Message]
    text_bytes: int
    media: Media


def read_messages(raw: msgspec.Raw, body: Body, limits: Limits) -> Messages:
    """Check the array's shape and measure it.

    Raises:
        ApiError: 400, naming the message and its field.
    """
    objects = _array(raw, "messages")
    if not objects:
        raise invalid("messages", "must hold at least one message")
    if len(objects) > limits.messages:
        raise invalid("messages", f"at most {limits.messages} messages, got {len(objects)}")
    reader = _Reader(body, limits)
    items = [reader.message(item, f"messages[{index}]") for index, item in enumerate(objects)]
    return Messages(items, reader.text_bytes, reader.media)


class _Reader:
    def __init__(self, body: Body, limits: Limits) -> None:
        self._limits = limits
        self._parts = 0
        self.text_bytes = 0
        self.media = Media(body, limits)

    def message(self, fields: dict[str, msgspec.Raw], path: str) -> Message:
        role = _text(fields, "role", path)
        if role not in ROLES:
            raise invalid(f"{path}.role", f"must be one of {', '.join(ROLES)}, got {role[:32]!r}")
        message = Message(role, path, self._content(fields.get("content"), role, f"{path}.content"))
        if role == "assistant":
            message.has_thoughts = any(_present(fields, key) is not None for key in _THOUGHTS)
            if (calls := _present(fields, "tool_calls")) is not None:
                message.tool_calls = _read_calls(calls, f"{path}.tool_calls")
                self.text_bytes += len(calls)
        if role == "tool":
            message.tool_call_id = _text(fields, "tool_call_id", path)
            if _present(fields, "name") is not None:
                message.name = _text(fields, "name", path)
        return message

    def _content(self, raw: msgspec.Raw | None, role: str, path: str) -> bytes | None:
        content = b"null" if raw is None else bytes(raw)
        before = self.text_bytes
        if content[:1] == b'"':
            image = self.media.body.image(content)
            self.text_bytes += len(content if image is None else image) - 2
        elif content[:1] == b"[":
            parts = _array(content, path)
            for index, part in enumerate(parts):
                self._part(part, role, f"{path}[{index}]")
            if not parts and role != "assistant":
                raise invalid(path, "must hold at least one part")
        elif content != b"null" or role != "assistant":
            raise invalid(path, "must be a string or an array of parts")
        is_silent = role == "assistant" and self.text_bytes == before
        return None if is_silent else content

    def _part(self, part: dict[str, msgspec.Raw], role: str, path: str) -> None:
        self._parts += 1
        if self._parts > self._limits.parts:
            raise invalid("messages", f"at most {self._limits.parts} content parts")
        if "uuid" in part:  # names an image in the engine's cache, whoever sent it
            raise invalid(f"{path}.uuid", "this field is not accepted")
        kind = _text(part, "type", path)
        if kind == "text":
            text = bytes(part.get("text", b""))
            if text[:1] != b'"':
                raise invalid(f"{path}.text", "must be a string")
            self.text_bytes += len(text) - 2
        elif kind != "image_url" and kind not in _OTHER_PARTS:
            raise invalid(f"{path}.type", f"parts of type {kind[:32]!r} are not known")
        elif role != "user":
            raise invalid(f"{path}.type", f"a {role} message holds text only")
        elif kind == "image_url":
            self.media.add_image(part.get("image_url"), f"{path}.image_url")
        else:
            self.media.kinds.add(_OTHER_PARTS[kind])


def _read_calls(raw: bytes, path: str) -> list[ToolCall]:
    try:
        calls: list[ToolCall] = read(_tool_calls, raw)
    except ValueError as error:
        raise invalid(path, str(error)) from None
    return calls


def _array(raw: msgspec.Raw | bytes, path: str) -> list[dict[str, msgspec.Raw]]:
    try:
        objects: list[dict[str, msgspec.Raw]] = read(_objects, raw)
    except ValueError:
        raise invalid(path, "must be an array of objects") from None
    return objects


def _present(fields: dict[str, msgspec.Raw], key: str) -> bytes | None:
    raw = bytes(fields.get(key, b"null"))
    return None if raw == b"null" else raw


def _text(fields: dict[str, msgspec.Raw], key: str, path: str) -> str:
    try:
        text: str = read(_string, fields.get(key, b"null"))
    except ValueError:
        raise invalid(f"{path}.{key}", "must be a string") from None
    return text
