"""Data URLs of images, read in place: base64 is decoded only where it is looked at.

Checked are the media type, the alphabet at both ends, the length and the padding. Damage in the middle is found by the
engine, which has to decode everything anyway.
"""

import binascii
from dataclasses import dataclass

MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/webp", "image/gif"})
_MAX_HEAD = 100  # bytes up to the comma
_EDGE = 64  # base64 characters checked at the end


@dataclass(frozen=True, slots=True)
class DataUrl:
    """An image within a URL."""

    media_type: str
    data: memoryview  # base64

    @property
    def size(self) -> int:
        """Bytes after decoding."""
        return len(self.data) // 4 * 3 - bytes(self.data[-2:]).count(b"=")

    def read(self, offset: int, count: int) -> bytes:
        """Decoded bytes from `offset`, fewer at the end. Raises ValueError: not base64 there."""
        first, skip = divmod(offset, 3)
        last = (offset + count + 2) // 3
        return binascii.a2b_base64(self.data[first * 4 : last * 4], strict_mode=True)[skip : skip + count]


def parse(url: memoryview) -> DataUrl:
    """Take a data URL apart.

    Raises:
        LookupError: its media type is not an image's that engines read.
        ValueError: it is broken.
    """
    head, comma, _ = bytes(url[:_MAX_HEAD]).partition(b",")
    media_type, *parameters = head[len(b"data:") :].decode("ascii", "replace").lower().split(";")
    if not comma or parameters[-1:] != ["base64"]:
        raise ValueError("a data URL must be of the form data:image/<type>;base64,<data>")
    if media_type not in MEDIA_TYPES:
        raise LookupError(f"images of type {media_type!r} are not supported; use PNG, JPEG, WebP or GIF")
    data = url[len(head) + 1 :]
    if not data:
        raise ValueError("the image is empty")
    if len(data) % 4:
        raise ValueError("not valid base64: the length is not a multiple of four")
    try:
        binascii.a2b_base64(data[-_EDGE:], strict_mode=True)
    except ValueError as error:
        raise ValueError(f"not valid base64: {error}") from None
    return DataUrl(media_type, data)
