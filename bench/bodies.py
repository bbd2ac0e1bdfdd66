"""The requests that are sent: small, with a prompt of 32 kB, and with an image of 1 MB as a data URL."""

import base64
import json
import random
import struct
import zlib
from enum import Enum

WORDS = "the quick brown fox jumps over lazy dogs while routing tokens and then sleeps".split()


class Body(Enum):
    SMALL = "small"  # a prompt of 200 bytes
    LARGE = "32 kB"
    IMAGE = "1 MB image"


def prompt(size: int) -> str:
    """English-like text of `size` bytes, the same each time."""
    rng = random.Random(1)
    return " ".join(rng.choice(WORDS) for _ in range(size))[:size]


def png(width: int, height: int) -> bytes:
    """A valid picture of noise, which does not compress: about 3 bytes a pixel."""
    rng = random.Random(2)
    rows = b"".join(b"\0" + rng.randbytes(3 * width) for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def encode(body: Body, *, model: str, max_tokens: int, stream: bool) -> bytes:
    """The JSON of a chat completion request."""
    content: object
    if body is Body.IMAGE:
        picture = base64.b64encode(png(512, 512)).decode()  # 512 × 512 × 3 bytes are 1 MiB in base64
        content = [
            {"type": "text", "text": prompt(100)},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
        ]
    else:
        content = prompt(200 if body is Body.SMALL else 32_768)
    ask: dict[str, object] = {"model": model, "max_tokens": max_tokens, "temperature": 0.7}
    if stream:
        ask |= {"stream": True, "stream_options": {"include_usage": True}}
    ask["messages"] = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": content},
    ]
    return json.dumps(ask, separators=(",", ":")).encode()


def request(target: str, key: str, body: bytes) -> bytes:
    """The HTTP request that carries it to `target` (host:port)."""
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {target}\r\nauthorization: Bearer {key}\r\n"
        f"user-agent: OpenAI/Python 3.54.0\r\naccept: application/json\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
