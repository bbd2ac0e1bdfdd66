"""A request's bytes to its top-level fields, once, with everything refused that parsers disagree on or choke on.

Images come as data URLs of a megabyte in the middle of the JSON. They are cut out first: the JSON parser, and everyone
after it, sees `"data:image\\/#3"` in place of the fourth. Nobody else can write such a placeholder: of a caller's text
the escape in it is taken out, which changes nothing of what it says, and whatever is decoded and encoded again on the
way has none. `restore` puts the bytes back. An image that was fetched comes in as one more of them, so that from here
on it is like any that was sent. PDF documents are cut out in the same way.
"""

import re
from collections import Counter
from dataclasses import dataclass

import msgspec

from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits
from router.protocol.structure import check_structure

_URL = b'"data:'
_CUT_OUT = (b'"data:image/', b'"data:application/pdf;')
_NAME_SHOWN = 64  # characters of a key in an error
_MARK = b'"data:image\\/#'  # with an escape that JSON allows and no encoder writes
_UNMARKED = b'"data:image/#'
_PLACEHOLDER = re.compile(rb'(?<!\\)"data:image\\/#(\d+)"')


@dataclass(frozen=True, slots=True)
class Body:
    """Top-level fields as raw JSON, and the data URLs that were cut out of them."""

    fields: dict[str, msgspec.Raw]
    images: list[memoryview]  # whole strings with their quotes
    size: int  # bytes as it came

    def image(self, raw: bytes) -> memoryview | None:
        """The data URL that `raw` stands for; None if it is no placeholder."""
        found = _PLACEHOLDER.fullmatch(raw)
        return self.images[int(found[1])] if found else None

    def add(self, image: bytes) -> bytes:
        """Take one more data URL, a whole string with its quotes, not copied. Returns the placeholder for it."""
        self.images.append(memoryview(image))
        return _placeholder(len(self.images) - 1)

    def restore(self, raw: bytes) -> list[bytes | memoryview]:
        """`raw` in pieces, with the images back in their places."""
        if not self.images:
            return [raw]
        pieces: list[bytes | memoryview] = list(_PLACEHOLDER.split(raw))
        pieces[1::2] = [self.images[int(index)] for index in pieces[1::2]]
        return pieces


class _Key:
    """A key equal to nothing but itself, so that a decoded object keeps its duplicates."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


_decoder = msgspec.json.Decoder(dict[_Key, msgspec.Raw], dec_hook=lambda kind, name: kind(name))


def split(raw: bytes, limits: Limits) -> Body:
    """The fields of a request body.

    Raises:
        ApiError: 413 too large; 400 not a JSON object in UTF-8, built too large, a key twice.
    """
    if len(raw) > limits.body_bytes:
        message = f"The request body is larger than {limits.body_bytes} bytes."
        raise ApiError("payload_too_large", message, limit="body_bytes")
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            raise _not_json(f"byte {error.start} is not valid UTF-8") from None
    size = len(raw)
    skeleton, images = _cut_images(raw)
    check_structure(skeleton, limits)
    try:
        pairs = _decoder.decode(skeleton)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _not_json(str(error)) from None
    fields = {key.name: value for key, value in pairs.items()}
    if len(fields) < len(pairs):
        counts = Counter(key.name for key in pairs)
        twice = next(name for name, count in counts.items() if count > 1)[:_NAME_SHOWN]
        raise ApiError("invalid_request", f"body: the key {twice!r} is given twice", field=twice)
    if len(fields) > limits.fields:
        raise invalid("body", f"more than {limits.fields} fields", limit="fields")
    return Body(fields, images, size)


def _cut_images(raw: bytes) -> tuple[bytes, list[memoryview]]:
    begin = _next(raw, 0)
    if begin < 0:
        return raw.replace(_MARK, _UNMARKED), []
    view = memoryview(raw)
    pieces: list[bytes] = []
    images: list[memoryview] = []
    done = 0
    while begin >= 0:
        end = raw.find(b'"', begin + 1) + 1
        if end == 0:
            break
        if raw[begin - 1 : begin] == b"\\" or raw.find(b"\\", begin, end) >= 0:
            end = begin + 1  # text that only looks like one, or has escapes: left to the JSON parser
        else:
            pieces += (bytes(view[done:begin]).replace(_MARK, _UNMARKED), _placeholder(len(images)))
            images.append(view[begin:end])
            done = end
        begin = _next(raw, end)
    pieces.append(bytes(view[done:]).replace(_MARK, _UNMARKED))
    return b"".join(pieces), images


def _next(raw: bytes, start: int) -> int:
    """Where the next one begins; -1: nowhere."""
    begin = raw.find(_URL, start)
    while begin >= 0 and not raw.startswith(_CUT_OUT, begin):
        begin = raw.find(_URL, begin + 1)
    return begin


def is_placeholder(raw: bytes) -> bool:
    """Does this JSON string stand for something that was cut out?"""
    return raw.startswith(_MARK)


def _placeholder(index: int) -> bytes:
    return b'%b%d"' % (_MARK, index)


def _not_json(problem: str) -> ApiError:
    return ApiError("invalid_request", f"body: not a JSON object: {problem}", field="body")
