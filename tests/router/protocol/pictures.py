"""Smallest headers of each image format, made by hand: only the bytes that say how large the image is."""

import base64
import struct
import zlib


def png(width: int, height: int, padding: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + bytes(padding)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x00\x00\x00"


def jpeg(width: int, height: int, *, exif: int = 0, marker: int = 0xC0) -> bytes:
    """With `exif` bytes of metadata before the frame header, in segments of at most 65,533 bytes."""
    segments = b"\xff\xd8"
    while exif > 0:
        size = min(exif, 65_533)
        segments += b"\xff\xe1" + struct.pack(">H", size + 2) + bytes(size)
        exif -= size
    return segments + b"\xff" + bytes([marker]) + struct.pack(">HBHH", 11, 8, height, width) + b"\x03"


def webp(kind: bytes, payload: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 100) + b"WEBP" + kind + struct.pack("<I", len(payload)) + payload


def webp_lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height))


def webp_lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14))


def webp_extended(width: int, height: int) -> bytes:
    return webp(b"VP8X", bytes(4) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3])


def data_url(data: bytes, media_type: str = "image/png") -> bytes:
    """As a JSON string with its quotes, which is how fetched pictures come."""
    return b'"data:%b;base64,%b"' % (media_type.encode(), base64.b64encode(data))
