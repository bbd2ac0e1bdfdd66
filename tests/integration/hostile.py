"""Pictures and schemas that are not what they should be."""

import base64
import struct
import zlib
from typing import Any


def png(width: int, height: int) -> bytes:
    """A PNG that says it is so large; its pixels are not there, and need not be to see that it is too large."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def png_url(width: int, height: int) -> str:
    return "data:image/png;base64," + base64.b64encode(png(width, height)).decode()


def gif(frames: int, width: int = 64, height: int = 64) -> bytes:
    """An animated GIF of so many frames of one pixel."""
    frame = b"\x21\xf9\x04\0\x0a\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return head + frame * frames + b"\x3b"


def url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def picture(address: str) -> dict[str, Any]:
    """The fields of a request with one picture."""
    return {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": address}}]}]}


def json_schema(value: Any) -> dict[str, Any]:
    """The field for answers of a schema."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": value}}}
