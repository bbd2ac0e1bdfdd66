"""Reads the `messages` array: checks it, and keeps raw JSON wherever nothing has to be known of it.

Text is not decoded here. Objects within messages follow JSON's usual reading: of a key that is given twice the last
counts, here as in the engine. Each image gets its digest as `uuid` beside it, by which the engine knows it again; only
then the array is written anew, with placeholders where images are (see body), and with what is in documents in their
place (see plugins/files).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from router.protocol.body import Body
from router.protocol.errors import ApiError, invalid
from router.protocol.forbidden import MESSAGE_FIELDS
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Media
from router.protocol.messages import ROLES, Message, ToolCall
from router.protocol.wire import read

_THOUGHTS = ("reasoning", "reasoning_content", "reasoning_details")
_OTHER_PARTS = {"input_audio": "audio", "video_url": "video", "input_video": "video"}
_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_string = msgspec.json.Decoder(str)
_NONE_FETCHED: Mapping[str, bytes] = MappingProxyType({})
_tool_calls = msgspec.json.Decoder(list[ToolCall])


@dataclass(frozen=True, slots=True)
class Messages:
    """A conversation."""

    items: list[Message]
    raw: bytes  # the array for the engine, if nothing else has to change
    media: Media


def read_messages(
    raw: msgspec.Raw, body: Body, limits: Limits, salt: str = "", fetched: Fetched = _NONE_FETCHED
) -> Messages:
    """Check the array's shape, and its images, whose names are of the tenant with this `salt` (see salt).

    An image whose URL is not in `fetched` is only counted: ask `media.check_fetched` before using what this returns.

    Raises:
        ApiError: 400, naming the message and its field.
    """
    objects = _array(raw, "messages")
    if not objects:
        raise invalid("messages", "must hold at least one message")
    if len(objects) > limits.messages:
        raise invalid("messages", f"at most {limits.messages} messages, got {len(objects)}", limit="messages")
    reader = _Reader(Media(body, limits, fetched, salt), limits)
    media = reader.media
    reader.is_changed = media.files.know(objects)
    items = [reader.message(item, f"messages[{index}]") for index, item in enumerate(objects)]
    return Messages(items, msgspec.json.encode(objects) if reader.is_changed else bytes(raw), media)


class _Reader:
    def __init__(self, media: Media, limits: Limits) -> None:
        self._limits = limits
        self._parts = 0
        self.media = media
        self.is_changed = False  # something in the array is otherwise than it came

    def message(self, fields: dict[str, msgspec.Raw], path: str) -> Message:
        role = _text(fields, "role", path)
        if role not in ROLES:
            raise invalid(f"{path}.role", f"must be one of {', '.join(ROLES)}, got {role[:32]!r}")
        for name in MESSAGE_FIELDS & fields.keys():
            raise invalid(f"{path}.{name}", "this field is not accepted", limit="forbidden")
        message = Message(role, path, self._content(fields, role, f"{path}.content"))
        if role == "assistant":
            message.has_thoughts = any(_present(fields, key) is not None for key in _THOUGHTS)
            if (calls := _present(fields, "tool_calls")) is not None:
                message.tool_calls = _read_calls(calls, f"{path}.tool_calls")
        if role == "tool":
            message.tool_call_id = _text(fields, "tool_call_id", path)
            if _present(fields, "name") is not None:
                message.name = _text(fields, "name", path)
        return message

    def _content(self, fields: dict[str, msgspec.Raw], role: str, path: str) -> bytes | None:
        content = bytes(fields.get("content", b"null"))
        says = False
        if content[:1] == b'"':
            says = len(content) > 2
        elif content[:1] == b"[":
            parts = _array(content, path)
            images, files = self.media.images, self.media.files.count
            written: list[dict[str, msgspec.Raw]] = []
            for index, part in enumerate(parts):
                for each in self._unfolded(part, role, f"{path}[{index}]"):
                    says |= self._part(each, role, f"{path}[{index}]")
                    written.append(each)
            if not parts and role != "assistant":
                raise invalid(path, "must hold at least one part")
            if self.media.images > images or self.media.files.count > files:
                content = msgspec.json.encode(written)
                fields["content"] = msgspec.Raw(content)
                self.is_changed = True
        elif content != b"null" or role != "assistant":
            raise invalid(path, "must be a string or an array of parts")
        return None if role == "assistant" and not says else content

    def _unfolded(self, part: dict[str, msgspec.Raw], role: str, path: str) -> list[dict[str, msgspec.Raw]]:
        """The part, or what is in the document that it is: at least two parts, or none while it is not known."""
        if bytes(part.get("type", b"")) != b'"file"':
            return [part]
        if role != "user":
            raise _text_only(role, path)
        return self.media.files.read(part, path)

    def _part(self, part: dict[str, msgspec.Raw], role: str, path: str) -> bool:
        """Does it say anything? An image gets its `uuid`."""
        self._parts += 1
        if self._parts > self._limits.parts:
            raise invalid("messages", f"at most {self._limits.parts} content parts", limit="parts")
        if "uuid" in part:  # names an image in the engine's cache, whoever sent it
            raise invalid(f"{path}.uuid", "this field is not accepted")
        kind = _text(part, "type", path)
        if kind == "text":
            text = bytes(part.get("text", b""))
            if text[:1] != b'"':
                raise invalid(f"{path}.text", "must be a string")
            return len(text) > 2
        if kind != "image_url" and kind not in _OTHER_PARTS:
            raise invalid(f"{path}.type", f"parts of type {kind[:32]!r} are not known")
        if role != "user":
            raise _text_only(role, path)
        if kind == "image_url":
            self.media.add_image(part, f"{path}.image_url")
        else:
            self.media.kinds.add(_OTHER_PARTS[kind])
        return True


def _text_only(role: str, path: str) -> ApiError:
    return invalid(f"{path}.type", f"a {role} message holds text only")


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
