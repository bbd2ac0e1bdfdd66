"""Width, height and format of an image from its header, without decoding it.

Works on a function that reads bytes at an offset, so that of a data URL only the bytes that are looked at are ever
decoded: a JPEG's dimensions may lie behind a hundred kilobytes of EXIF. Formats: PNG, JPEG, WebP (VP8, VP8L, VP8X)
and GIF.
"""

from collections.abc import Callable

Read = Callable[[int, int], bytes]  # (offset, count) -> at most count bytes
Size = tuple[int, int, str]  # width, height, format

HEAD_BYTES = 32  # tell every format
_MAX_SEGMENTS = 1_000  # of a JPEG before its frame header; real files have under fifty
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15 without DHT, JPG, DAC


def size_of(data: bytes) -> Size:
    """Of an image in memory. Raises ValueError: unknown format, or a header that makes no sense."""
    return read_size(lambda offset, count: data[offset : offset + count])


def read_size(read: Read) -> Size:
    """Of an image behind `read`. Raises ValueError: unknown format, or a header that makes no sense."""
    head = read(0, HEAD_BYTES)
    match format_of(head):
        case "png":
            size = _png(head)
        case "jpeg":
            size = _jpeg(read)
        case "webp":
            size = _webp(head)
        case _:
            size = (_little(head, 6, 2), _little(head, 8, 2), "gif")
    if not (size[0] and size[1]):
        raise ValueError("the image has no width or no height")
    return size


def format_of(head: bytes) -> str:
    """Of an image that begins with these HEAD_BYTES: png, jpeg, webp or gif. Raises ValueError: none of them."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    raise ValueError("not a PNG, JPEG, WebP or GIF image")


def _png(head: bytes) -> Size:
    if head[12:16] != b"IHDR":
        raise ValueError("a PNG image without a header chunk")
    return _big(head, 16, 4), _big(head, 20, 4), "png"


def _webp(head: bytes) -> Size:
    kind = head[12:16]
    if kind == b"VP8 ":
        if head[23:26] != b"\x9d\x01\x2a":
            raise ValueError("a WebP image without a start code")
        return _little(head, 26, 2) & 0x3FFF, _little(head, 28, 2) & 0x3FFF, "webp"
    if kind == b"VP8L":
        if head[20:21] != b"\x2f":
            raise ValueError("a WebP image without a signature")
        bits = _little(head, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, "webp"
    if kind == b"VP8X":
        return _little(head, 24, 3) + 1, _little(head, 27, 3) + 1, "webp"
    raise ValueError("a WebP image of an unknown kind")


def _jpeg(read: Read) -> Size:
    offset = 2
    for _ in range(_MAX_SEGMENTS):
        segment = read(offset, 9)
        if segment[:1] != b"\xff" or len(segment) < 4:
            break
        marker = segment[1]
        if marker == 0xFF:  # padding
            offset += 1
        elif marker in _FRAME_MARKERS:
            return _big(segment, 7, 2), _big(segment, 5, 2), "jpeg"
        elif marker == 0x01 or 0xD0 <= marker <= 0xD9:  # no length follows
            offset += 2
        else:
            offset += 2 + _big(segment, 2, 2)
    raise ValueError("a JPEG image without a frame header")


def _big(data: bytes, offset: int, count: int) -> int:
    return int.from_bytes(_cut(data, offset, count), "big")


def _little(data: bytes, offset: int, count: int) -> int:
    return int.from_bytes(_cut(data, offset, count), "little")


def _cut(data: bytes, offset: int, count: int) -> bytes:
    piece = data[offset : offset + count]
    if len(piece) < count:
        raise ValueError("the image ends within its header")
    return piece
