"""What a file is, by its first bytes: neither its name nor what its sender says of it counts."""

import re

SEEN = 4_096  # bytes that are looked at

_STARTS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"PK\x03\x04", "application/zip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_LINE = re.compile(rb"\s*\{.*\}[ \t\r]*\n\s*\{")


def type_of(head: bytes, *, is_all: bool) -> str:
    """Its media type.

    Args:
        head: up to `SEEN` bytes.
        is_all: there are no more.
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"RIFF") and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if not _is_text(head, is_all=is_all):
        return "application/octet-stream"
    if _LINE.match(head):
        return "application/x-ndjson"
    return "application/json" if head.lstrip()[:1] in (b"{", b"[") else "text/plain"


def _is_text(head: bytes, *, is_all: bool) -> bool:
    if b"\0" in head:
        return False
    for cut in range(1 if is_all else 4):  # the last character may be cut through
        try:
            head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False
