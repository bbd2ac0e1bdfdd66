"""Reading the start of a stream, or the whole of a body, without holding more than a limit."""

from typing import Protocol

from router.upstream.failed import Failed
from router.upstream.progress import Progress


class Source(Protocol):
    """Of an answer's body; aiohttp's StreamReader is one as well."""

    async def readany(self) -> bytes: ...


async def first_bytes(source: Source, limit: int) -> tuple[bytes, Progress]:
    """The stream up to and with its first piece that is more than comments; b"" if it ends before.

    Whole comments before it are dropped, one cut in two is kept until its other half has come. Raises Failed when a
    single comment is longer than `limit` bytes.
    """
    progress = Progress()
    held = b""
    while data := await source.readany():
        held += data
        if progress.feed(data):
            return held, progress
        if progress.is_between_lines:
            held = b""
        elif len(held) > limit:
            raise Failed("the answer was cut off")  # by us: it is a comment without end
    return b"", progress


async def read_whole(source: Source, limit: int) -> tuple[bytes, bool]:
    """The body, and whether it is all of it: reading stops after `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    while data := await source.readany():
        parts.append(data)
        size += len(data)
        if size > limit:
            return b"".join(parts)[:limit], False
    return parts[0] if len(parts) == 1 else b"".join(parts), True
