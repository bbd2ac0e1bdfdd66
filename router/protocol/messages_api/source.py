"""A body of `/messages`, split into its fields without touching the pictures and documents in it.

Anthropic's API carries base64 in strings under the key `data`, megabytes of it. As in `body`, they are cut out before
anything is parsed, so that JSON parsers and the bounds on text see only what is left; here a cut string is known by its
key. Strings under `url` are cut in the same way, for those who put a data URL there. What was cut goes back by `pieces`
and `inside`, never copied; long texts that happen to stand under such a key go back as well, and are bounded where the
chat's body is read.

Every string under these keys that begins like a placeholder is cut, however short, so nobody can write one himself.
Strings with escapes are left where they are.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from router.protocol.body import split
from router.protocol.errors import ApiError
from router.protocol.limits import Limits

Pieces: TypeAlias = list[bytes | memoryview]

_DATA, _URL = b'"data"', b'"url"'
_BEGINS = re.compile(rb'"(?:data|url)"[ \t\r\n]*:[ \t\r\n]*"')
_CUT = b'"cut:'
_PLACEHOLDER = re.compile(rb'"cut:(\d+)"')
_PLACE = re.compile(rb'(?<!\\)("(?:data|url)"[ \t\r\n]*:[ \t\r\n]*)"cut:(\d+)"')
_SHORT = 1_024  # bytes; shorter strings are not worth cutting


class Source:
    """The caller's body.

    Attributes:
        fields: by name, as raw JSON that `pieces`, `field` or `inside` make whole.
    """

    def __init__(self, raw: bytes, limits: Limits) -> None:
        """Raises ApiError: 413 too large; 400 no JSON object, or one that is built too large."""
        if len(raw) > limits.body_bytes:
            message = f"The request body is larger than {limits.body_bytes} bytes."
            raise ApiError("payload_too_large", message, limit="body_bytes")
        skeleton, self._cuts = _cut(raw)
        self._body = split(skeleton, limits)
        self._is_whole = not self._cuts and not self._body.images
        self.fields: Mapping[str, msgspec.Raw] = self._body.fields

    def pieces(self, raw: msgspec.Raw | bytes) -> Pieces:
        """A value as it came. Of a string under a key that is cut: `inside`."""
        whole = bytes(raw)
        if self._is_whole:
            return [whole]
        pieces: Pieces = []
        for piece in self._body.restore(whole):
            if isinstance(piece, memoryview) or _CUT not in piece:
                pieces.append(piece)
                continue
            found = _PLACE.split(piece)
            for at in range(0, len(found) - 1, 3):
                pieces += [found[at], found[at + 1], b'"', self._cuts[int(found[at + 2])], b'"']
            pieces.append(found[-1])
        return pieces

    def field(self, name: str) -> Pieces:
        """A top-level field as it came."""
        raw = self.fields[name]
        if _PLACEHOLDER.fullmatch(raw) and name in ("data", "url"):
            return [b'"', self.inside(raw), b'"']
        return self.pieces(raw)

    def joined(self, raw: msgspec.Raw) -> bytes:
        """A value as it came, in one."""
        return b"".join(self.pieces(raw))

    def inside(self, raw: msgspec.Raw) -> bytes | memoryview:
        """What is between the quotes of a string that stood under `data` or `url`, escapes as they came."""
        found = _PLACEHOLDER.fullmatch(raw)
        if found is not None:
            return self._cuts[int(found[1])]
        image = self._body.image(bytes(raw))
        return bytes(raw)[1:-1] if image is None else image[1:-1]


def _cut(raw: bytes) -> tuple[bytes, list[memoryview]]:
    """The body with placeholders, and what they stand for, without quotes."""
    view = memoryview(raw)
    pieces: Pieces = []
    cuts: list[memoryview] = []
    done = past = 0
    data = raw.find(_DATA)
    while True:
        at = raw.find(_URL, past, len(raw) if data < 0 else data)  # never through what is cut, which is long
        if at < 0:
            at = data
        if at < 0:
            break
        past = at + 1
        begin = _BEGINS.match(raw, at)
        if begin is not None and raw[at - 1 : at] != b"\\":
            start = begin.end()
            end = raw.find(b'"', start)
            if end < 0:
                break  # no JSON: the parser will say so
            past = end + 1
            is_worth_it = end - start > _SHORT or raw.startswith(_CUT, start - 1)
            if is_worth_it and raw.find(b"\\", start, end) < 0:
                pieces += (view[done:start], b"cut:%d" % len(cuts))
                cuts.append(view[start:end])
                done = end
        if -1 < data < past:
            data = raw.find(_DATA, past)
    pieces.append(view[done:])
    return (b"".join(pieces), cuts) if cuts else (raw, cuts)
