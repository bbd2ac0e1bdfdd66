"""What a document was found to hold: content parts, as messages and annotations have them."""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from router.protocol.wire import read

Part: TypeAlias = dict[str, msgspec.Raw]

_NAME_CHARS = 255  # of a file's name, as file systems have it
_object = msgspec.json.Decoder(Part)


class ParsedFile(msgspec.Struct):
    """What a document was found to hold: an annotation's `file`."""

    hash: str  # SHA-256 of the document, hexadecimal
    name: str
    content: list[Part]


def parsed_file(digest: str, name: str, parts: Iterable[bytes]) -> bytes:
    """Raw JSON of what a document holds, as `Files` takes it. `parts`: raw JSON of content parts."""
    content = around(name, [read(_object, part) for part in parts])
    return msgspec.json.encode(ParsedFile(digest, name, content))


def text_part(text: str) -> bytes:
    """Raw JSON of a content part."""
    return msgspec.json.encode(text_part_of(text))


def image_part(image: bytes) -> bytes:
    """Raw JSON of a content part. `image`: a data URL as a JSON string, with its quotes."""
    return b'{"type":"image_url","image_url":{"url":%b}}' % image


def around(name: str, parts: list[Part]) -> list[Part]:
    """Parts of the document with that name."""
    return [text_part_of(f'<file name="{name}">'), *parts, text_part_of("</file>")]


def text_part_of(text: str) -> Part:
    """A content part."""
    return {"type": msgspec.Raw(b'"text"'), "text": msgspec.Raw(msgspec.json.encode(text))}


def plain(name: str) -> str:
    """A name that ends no attribute and no line."""
    return "".join(" " if c in '"<>' or not c.isprintable() else c for c in name[:_NAME_CHARS])
