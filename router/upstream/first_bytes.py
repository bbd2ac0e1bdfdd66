"""Reading the start of a stream, or the whole of a body, without holding more than a limit."""

from aiohttp import ClientPayloadError, StreamReader

from router.upstream.progress import Progress


async def first_bytes(content: StreamReader, limit: int) -> tuple[bytes, Progress]:
    """The stream up to and with its first piece that is more than comments; b"" if it ends before.

    Whole comments before it are dropped, one cut in two is kept until its other half has come. Raises
    aiohttp.ClientPayloadError when a single comment is longer than `limit` bytes.
    """
    progress = Progress()
    held = b""
    while data := await content.readany():
        held += data
        if progress.feed(data):
            return held, progress
        if progress.is_between_lines:
            held = b""
        elif len(held) > limit:
            raise ClientPayloadError("a comment without end")
    return b"", progress


async def read_whole(content: StreamReader, limit: int) -> tuple[bytes, bool]:
    """The body, and whether it is all of it: reading stops after `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    while data := await content.readany():
        parts.append(data)
        size += len(data)
        if size > limit:
            return b"".join(parts)[:limit], False
    return b"".join(parts), True
