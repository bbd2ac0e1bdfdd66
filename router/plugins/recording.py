"""The gateway's client for an answer that may be kept: passes everything on, and keeps a copy until it is whole."""

from router.company import SSE_COMMENT, Client
from router.plugins.response_cache import ResponseCache


class RecordingClient:
    """Of one answer; must be closed."""

    def __init__(self, client: Client, cache: ResponseCache) -> None:
        self._client = client
        self._cache = cache
        self._pieces: list[bytes] | None = []  # None: too large, or closed
        self._size = 0
        self.is_stream = False
        self.is_complete = False

    async def start(self, *, stream: bool, length: int | None) -> None:
        self.is_stream = stream
        await self._client.start(stream=stream, length=length)

    async def write(self, data: bytes, *, more: bool) -> None:
        await self._client.write(data, more=more)
        self.is_complete = not more
        if self._pieces is None or not data or data == SSE_COMMENT:
            return
        if self._cache.may_record(self._size, len(data)):
            self._pieces.append(data)
            self._size += len(data)
        else:
            self.close()

    @property
    def data(self) -> bytes | None:
        """The answer, if it came to its end and was not too large."""
        return b"".join(self._pieces) if self._pieces is not None and self.is_complete else None

    def close(self) -> None:
        """Give the room back. Further calls do nothing."""
        self._cache.recording_bytes -= self._size
        self._size = 0
        self._pieces = None
