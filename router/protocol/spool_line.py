"""A record of the write-ahead spool is a line of text: `<crc32, 8 hexadecimal digits> <JSON>\\n`.

The JSON is `{"o": Opened}` when a request begins and `{"e": Entry}` when it is over. JSON holds no raw line break, so
whoever reads after damage is back in step at the next one. Fields that a newer release added are passed over.
"""

from zlib import crc32

import msgspec
from msgspec.structs import asdict, replace

from router.protocol.entry import Entry, Opened

Record = Opened | Entry

_DIGITS = 8


class _Line(msgspec.Struct, frozen=True):
    o: Opened | None = None
    e: Entry | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


def encode(record: Record) -> bytes:
    """The line, its end included. Half a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
    try:
        body = _encode(record)
    except UnicodeEncodeError:
        body = _encode(_without_surrogates(record))
    text = b'{"%c":%b}' % (b"o" if isinstance(record, Opened) else b"e", body)
    return b"%08x %b\n" % (crc32(text), text)


def decode(line: bytes) -> Record | None:
    """Read a line, given without its end. None: it is damaged, or of a kind that this release does not know."""
    text = line[_DIGITS + 1 :]
    if line[: _DIGITS + 1] != b"%08x " % crc32(text):
        return None
    try:
        read = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return read.e if read.o is None else read.o


def _without_surrogates(record: Record) -> Record:
    texts = {name: value for name, value in asdict(record).items() if isinstance(value, str)}
    return replace(record, **{name: text.encode(errors="replace").decode() for name, text in texts.items()})
