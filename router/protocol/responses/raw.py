"""Pieces of a caller's JSON, checked and kept as they came.

A text is never decoded and encoded anew on its way into another body: `data:image\\u002f#0` would come out as the
placeholder of an image that was cut out (see body), and a megabyte would be written twice. Whatever is wrong is named
by its path in the caller's own body.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from router.protocol.errors import invalid
from router.protocol.wire import Decoder, read

_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string = msgspec.json.Decoder(str)


def read_at(decoder: Decoder, raw: bytes | msgspec.Raw, path: str) -> Any:
    """Decode what stands at `path`. Raises ApiError (400), naming the place within it that is wrong."""
    try:
        return read(decoder, raw)
    except ValueError as error:
        problem, _, within = str(error).partition(" - at `$")
        raise invalid(path + within.rstrip("`"), problem) from None


def is_null(raw: msgspec.Raw | None) -> bool:
    """Absent, or null, which counts as absent."""
    return raw is None or bytes(memoryview(raw)[:4]) == b"null"


def objects(raw: msgspec.Raw | bytes, path: str) -> list[dict[str, msgspec.Raw]]:
    """An array of objects. Raises ApiError (400)."""
    try:
        found: list[dict[str, msgspec.Raw]] = read(_objects, raw)
    except ValueError:
        raise invalid(path, "must be an array of objects") from None
    return found


def members(raw: msgspec.Raw | bytes, path: str) -> dict[str, msgspec.Raw]:
    """An object. Raises ApiError (400)."""
    try:
        found: dict[str, msgspec.Raw] = read(_object, raw)
    except ValueError:
        raise invalid(path, "must be an object") from None
    return found


def string(fields: Mapping[str, msgspec.Raw], key: str, path: str) -> bytes:
    """The raw JSON string `key` of the object at `path` ("": the body). Raises ApiError (400): it is none."""
    raw = bytes(fields.get(key, b""))
    if raw[:1] != b'"':
        raise invalid(_within(path, key), "must be a string" if raw else "is required")
    return raw


def word(fields: Mapping[str, msgspec.Raw], key: str, path: str) -> str:
    """The same, decoded: for texts that decide something and are not passed on."""
    found: str = read(_string, string(fields, key, path))  # cannot fail: that it is a string was seen by `split`
    return found


def _within(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def write(fields: Mapping[str, bytes]) -> bytes:
    """An object of names that are ours and raw values."""
    return b"{" + b",".join([b'"%b":%b' % (name.encode(), value) for name, value in fields.items()]) + b"}"
