"""Content parts of the Responses API as those of a chat.

Text and image parts become the chat's; a refusal of an earlier answer is text that the assistant said. Files that are
only named by an id are refused: nothing is stored here that an id could stand for.
"""

from collections.abc import Mapping

import msgspec

from router.protocol.errors import ApiError, invalid
from router.protocol.responses.raw import is_null, members, objects, string, word, write

_TEXT_KEYS = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}
_NOT_STORED = "files are not stored here; send the {} itself, as a data URL or by its http(s) URL"
_SCHEMES = ("http", "https")
_SHOWN = 64  # characters of a caller's word in an error


def content(raw: msgspec.Raw, path: str) -> bytes:
    """The content of a message or of a function's result: a string, or parts. A single text is a string.

    Raises:
        ApiError: 400, naming the part and its field.
    """
    if bytes(memoryview(raw)[:1]) == b'"':
        return bytes(raw)
    if bytes(memoryview(raw)[:1]) != b"[":
        raise invalid(path, "must be a string or an array of parts")
    parts = objects(raw, path)
    if len(parts) == 1 and (text := _text(parts[0], f"{path}[0]")) is not None:
        return text
    return b"[" + b",".join([_part(part, f"{path}[{index}]") for index, part in enumerate(parts)]) + b"]"


def file_annotations(raw: msgspec.Raw, path: str) -> list[bytes]:
    """What the file parser made of files in an earlier turn, as an answer's annotations brought it.

    They are the chat's own annotations again: with them a file need not be read twice.
    """
    found: list[dict[str, msgspec.Raw]] = []
    if bytes(memoryview(raw)[:1]) == b"[":
        for index, part in enumerate(objects(raw, path)):
            if not is_null(part.get("annotations")):
                found += objects(part["annotations"], f"{path}[{index}].annotations")
    return [write({"type": b'"file"', "file": bytes(each["file"])}) for each in found if not is_null(each.get("file"))]


def _text(part: Mapping[str, msgspec.Raw], path: str) -> bytes | None:
    key = _TEXT_KEYS.get(word(part, "type", path))
    return None if key is None else string(part, key, path)


def _part(part: Mapping[str, msgspec.Raw], path: str) -> bytes:
    if (text := _text(part, path)) is not None:
        return write({"type": b'"text"', "text": text})
    kind = word(part, "type", path)
    if kind == "input_image":
        return write({"type": b'"image_url"', "image_url": _image(part, path)})
    if kind == "input_file":
        return write({"type": b'"file"', "file": _file(part, path)})
    if kind == "input_audio":
        members(part.get(kind, msgspec.Raw(b"null")), f"{path}.{kind}")
        return write({"type": b'"input_audio"', "input_audio": bytes(part[kind])})
    if kind == "input_video":
        return write({"type": b'"video_url"', "video_url": write({"url": string(part, "video_url", path)})})
    raise invalid(f"{path}.type", f"parts of type {kind[:_SHOWN]!r} are not known")


def _image(part: Mapping[str, msgspec.Raw], path: str) -> bytes:
    if not is_null(part.get("file_id")):
        raise _stored(f"{path}.file_id", "image")
    image = {"url": string(part, "image_url", path)}
    if not is_null(part.get("detail")):
        image["detail"] = string(part, "detail", path)
    return write(image)


def _file(part: Mapping[str, msgspec.Raw], path: str) -> bytes:
    if not is_null(part.get("file_id")):
        raise _stored(f"{path}.file_id", "file")
    sources = [key for key in ("file_data", "file_url") if not is_null(part.get(key))]
    if len(sources) != 1:
        raise invalid(path, "needs file_data or file_url, and not both")
    if sources == ["file_url"] and word(part, "file_url", path).partition(":")[0].lower() not in _SCHEMES:
        raise invalid(f"{path}.file_url", "must be an http or https URL")
    file = {"file_data": string(part, sources[0], path)}
    if not is_null(part.get("filename")):
        file["filename"] = string(part, "filename", path)
    return write(file)


def _stored(path: str, what: str) -> ApiError:
    return invalid(path, _NOT_STORED.format(what))
