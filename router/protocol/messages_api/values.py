"""Raw JSON of a body read one level at a time, with the caller's own path in every complaint."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from router.protocol.errors import ApiError, invalid
from router.protocol.wire import Decoder, read

Object: TypeAlias = dict[str, msgspec.Raw]

SHOWN = 64  # characters of a caller's word in an error
_NULL = msgspec.Raw(b"null")
_object = msgspec.json.Decoder(Object)
_objects = msgspec.json.Decoder(list[Object])
_string = msgspec.json.Decoder(str)
_flag = msgspec.json.Decoder(bool)


def given(fields: Mapping[str, msgspec.Raw], name: str) -> msgspec.Raw | None:
    """A field; None if it is absent or null."""
    raw = fields.get(name)
    return None if raw is None or raw == _NULL else raw


def an_object(raw: msgspec.Raw | None, path: str) -> Object:
    """Raises ApiError 400: it is absent, or no object."""
    value: Object = _as(_object, raw, path, "must be an object")
    return value


def objects(raw: msgspec.Raw | None, path: str) -> list[Object]:
    """Raises ApiError 400: it is absent, or no array of objects."""
    value: list[Object] = _as(_objects, raw, path, "must be an array of objects")
    return value


def text(fields: Mapping[str, msgspec.Raw], name: str, path: str) -> str:
    """A field that must be a string. Raises ApiError 400: it is none."""
    value: str = _as(_string, fields.get(name), f"{path}.{name}", "must be a string")
    return value


def flag(fields: Mapping[str, msgspec.Raw], name: str, path: str) -> bool:
    """A field that is true, or false, null or absent. Raises ApiError 400: it is something else."""
    raw = given(fields, name)
    return raw is not None and bool(_as(_flag, raw, f"{path}.{name}", "must be true or false"))


def a_string(raw: msgspec.Raw | None, path: str) -> msgspec.Raw:
    """The raw JSON of a string, which is not decoded. Raises ApiError 400: it is none."""
    if raw is None or not is_string(raw):
        raise invalid(path, "must be a string")
    return raw


def is_string(raw: msgspec.Raw | None) -> bool:
    """Is this the raw JSON of a string?"""
    return raw is not None and bytes(memoryview(raw)[:1]) == b'"'


def unsupported(path: str, kind: str, what: str) -> ApiError:
    """Of `kind`, the value of a `type` at `path`, which nobody serves here."""
    return invalid(f"{path}.type", f"{what} of type {kind[:SHOWN]!r} are not supported")


def _as(decoder: Decoder, raw: msgspec.Raw | None, path: str, problem: str) -> Any:
    if raw is None:
        raise invalid(path, "is required")
    try:
        return read(decoder, raw)
    except ValueError:
        raise invalid(path, problem) from None
