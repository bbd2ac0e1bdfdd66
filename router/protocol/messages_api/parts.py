"""Content blocks to parts of a chat message: texts, pictures, documents. What is in them the chat's reader judges.

A document's `title` is its file's name, or a text before the document's own; its `context` is a text before it. Files
that were uploaded before cannot be named: there are none here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from router.protocol.errors import ApiError, invalid
from router.protocol.messages_api.source import Pieces, Source
from router.protocol.messages_api.values import (
    SHOWN,
    Object,
    a_string,
    an_object,
    given,
    is_string,
    objects,
    text,
    unsupported,
)

_MEDIA_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_UNTITLED = b'"document.pdf"'


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a chat message's content."""

    pieces: Pieces
    origin: str  # the caller's field that holds what is in it
    is_text: bool = False


def read_parts(source: Source, block: Object, path: str, what: str) -> list[Part]:
    """Of a block that holds what is said or shown. Raises ApiError 400; `what`: such blocks are called there."""
    match kind := text(block, "type", path):
        case "text":
            return [text_part(source, block, path)]
        case "image":
            return [image_part(source, block, path)]
        case "document":
            return document_parts(source, block, path)
    raise unsupported(path, kind, what)


def array(parts: Sequence[Part]) -> Pieces:
    """A content."""
    return [b"[", *joined([part.pieces for part in parts]), b"]"]


def joined(values: Sequence[Pieces]) -> Pieces:
    """With commas between."""
    pieces: Pieces = []
    for value in values:
        pieces += value
        pieces.append(b",")
    return pieces[:-1]


def text_part(source: Source, block: Object, path: str) -> Part:
    """Of a text block. Raises ApiError 400."""
    return string_part(source, block.get("text"), f"{path}.text")


def string_part(source: Source, raw: msgspec.Raw | None, origin: str) -> Part:
    """Of a string, which is the field `origin`. Raises ApiError 400."""
    return _text(source.pieces(a_string(raw, origin)), origin)


def said(words: bytes, origin: str) -> Part:
    """A text of ours, which needs no escaping."""
    return _text([b'"', words, b'"'], origin)


def image_part(source: Source, block: Object, path: str) -> Part:
    """Of an image block. Raises ApiError 400."""
    path = f"{path}.source"
    fields = an_object(block.get("source"), path)
    kind = text(fields, "type", path)
    if kind == "base64":
        media_type = text(fields, "media_type", path)
        if media_type not in _MEDIA_TYPES:
            problem = f"must be one of {', '.join(_MEDIA_TYPES)}, got {media_type[:SHOWN]!r}"
            raise invalid(f"{path}.media_type", problem, error_type="unsupported_image_format")
        origin = f"{path}.data"
        url = [b"data:", media_type.encode(), b";base64,", source.inside(a_string(fields.get("data"), origin))]
    elif kind == "url":
        origin = f"{path}.url"
        url = [source.inside(a_string(fields.get("url"), origin))]
    else:
        raise _no_source(kind, path, "images")
    return Part([b'{"type":"image_url","image_url":{"url":"', *url, b'"}}'], origin)


def document_parts(source: Source, block: Object, path: str) -> list[Part]:
    """Of a document block. Raises ApiError 400."""
    inner = f"{path}.source"
    fields = an_object(block.get("source"), inner)
    kind = text(fields, "type", inner)
    heads = [
        string_part(source, block[name], f"{path}.{name}")
        for name in ("title", "context")
        if given(block, name) is not None
    ]
    match kind:
        case "base64":
            _check_type(fields, "application/pdf", inner)
            origin = f"{inner}.data"
            data = source.inside(a_string(fields.get("data"), origin))
            return [*_context(heads, block), _file(block, [b"data:application/pdf;base64,", data], origin)]
        case "url":
            origin = f"{inner}.url"
            url = source.inside(a_string(fields.get("url"), origin))
            return [*_context(heads, block), _file(block, [url], origin)]
        case "text":
            _check_type(fields, "text/plain", inner)
            origin = f"{inner}.data"
            words = source.inside(a_string(fields.get("data"), origin))
            return [*heads, _text([b'"', words, b'"'], origin)]
        case "content":
            return [*heads, *_content(source, fields, f"{inner}.content")]
    raise _no_source(kind, inner, "documents")


def _content(source: Source, fields: Object, path: str) -> list[Part]:
    raw = fields.get("content")
    if is_string(raw):
        return [string_part(source, raw, path)]
    parts = []
    for index, block in enumerate(objects(raw, path)):
        where = f"{path}[{index}]"
        kind = text(block, "type", where)
        if kind == "text":
            parts.append(text_part(source, block, where))
        elif kind == "image":
            parts.append(image_part(source, block, where))
        else:
            raise unsupported(where, kind, "blocks within a document")
    return parts


def _context(heads: list[Part], block: Object) -> list[Part]:
    """Without the title."""
    return heads if given(block, "title") is None else heads[1:]


def _file(block: Object, data: Pieces, origin: str) -> Part:
    title = given(block, "title")
    name = _UNTITLED if title is None else bytes(title)
    return Part([b'{"type":"file","file":{"filename":', name, b',"file_data":"', *data, b'"}}'], origin)


def _text(string: Pieces, origin: str) -> Part:
    return Part([b'{"type":"text","text":', *string, b"}"], origin, is_text=True)


def _check_type(fields: Object, wanted: str, path: str) -> None:
    if (got := text(fields, "media_type", path)) != wanted:
        raise invalid(f"{path}.media_type", f"must be {wanted}, got {got[:SHOWN]!r}")


def _no_source(kind: str, path: str, noun: str) -> ApiError:
    if kind == "file":
        return invalid(f"{path}.type", f"{noun} cannot be named by a file's id here; send base64 or a url")
    return invalid(f"{path}.type", f"sources of type {kind[:SHOWN]!r} are not known")
