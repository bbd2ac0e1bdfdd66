"""Contents of messages as Anthropic has them: blocks of text and images, as pieces of raw JSON.

Text is not decoded, images are not copied. Documents have been taken apart into both before (see plugins/files).
Anthropic refuses a text block that is empty, so those go.
"""

import msgspec

from router.protocol.data_url import DataUrl, parse
from router.protocol.dialects.source import Pieces, Source
from router.protocol.wire import read

_parts = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_string = msgspec.json.Decoder(str)


class _Url(msgspec.Struct):
    url: msgspec.Raw


_url = msgspec.json.Decoder(_Url)


def blocks(raw: bytes, source: Source) -> list[Pieces]:
    """The blocks that a content (a JSON string, an array of parts or null) comes to."""
    if raw[:1] == b'"':
        return [] if raw == b'""' else [_text(raw, None, source)]
    if raw[:1] != b"[":
        return []
    found = []
    for part in read(_parts, raw):
        block = _block(part, source)
        if block is not None:
            found.append(block)
    return found


def array(items: list[Pieces]) -> Pieces:
    """Items as a JSON array."""
    pieces: Pieces = [b"["]
    for index, item in enumerate(items):
        pieces += (b",", *item) if index else item
    pieces.append(b"]")
    return pieces


def _block(part: dict[str, msgspec.Raw], source: Source) -> Pieces | None:
    """None: it says nothing, or has no counterpart (audio and video: the planner keeps them away)."""
    kind = read(_string, part["type"])
    if kind == "text":
        text = bytes(part["text"])
        return None if text == b'""' else _text(text, part.get("cache_control"), source)
    if kind == "image_url":
        return _image(read(_url, part["image_url"]).url, source)
    return None


def _text(raw: bytes, cache_control: msgspec.Raw | None, source: Source) -> Pieces:
    end = b"}" if cache_control is None else b',"cache_control":' + bytes(cache_control) + b"}"
    return [b'{"type":"text","text":', *source.pieces(raw), end]


def _image(raw: msgspec.Raw, source: Source) -> Pieces:
    whole = source.body.image(bytes(raw))
    if whole is None:  # written with escapes, or a URL
        url: str = read(_string, raw)
        if not url.lower().startswith("data:"):
            return [b'{"type":"image","source":{"type":"url","url":', bytes(raw), b"}}"]
        whole = memoryview(b'"%b"' % url.encode())
    return [b'{"type":"image","source":', *_base64(parse(whole[1:-1])), b"}"]


def _base64(data_url: DataUrl) -> Pieces:
    media_type = data_url.media_type.replace("image/jpg", "image/jpeg").encode()
    return [b'{"type":"base64","media_type":"%b","data":"' % media_type, data_url.data, b'"}']
