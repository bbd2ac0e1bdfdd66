"""Bytes become a file as they come: gathered to chunks, hashed, looked at; what is given up leaves nothing behind."""

import hashlib
from types import TracebackType
from typing import TYPE_CHECKING, Self

from router.protocol.file_type import SEEN, type_of
from router.store.away import DatabaseAway
from router.store.file_records import FileEnd, FileRecord, NewFile

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from sqlalchemy.ext.asyncio import AsyncConnection

    from router.store.files import FileStore


class FileWriter:
    """To be used with `async with`: a file that was not ended is deleted at the block's end."""

    def __init__(self, store: "FileStore", new: NewFile) -> None:
        self._store = store
        self._new = new
        self._id: str | None = None
        self._buffer = bytearray()
        self._number = 0
        self._hash = hashlib.sha256()
        self._head = b""
        self.size = 0  # bytes so far
        self._is_ended = False

    @property
    def id(self) -> str:
        assert self._id is not None
        return self._id

    async def __aenter__(self) -> Self:
        self._id = await self._store.begin(self._new)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_ended:
            return
        try:
            await self._store.delete(self._new.workspace, self.id)
        except DatabaseAway:  # it is swept later
            if kind is None:
                raise

    async def write(self, data: bytes) -> None:
        """Raises ApiError 413, and FileGone."""
        self._hash.update(data)
        self.size += len(data)
        if len(self._head) < SEEN:
            self._head += data[: SEEN - len(self._head)]
        self._buffer += data
        while len(self._buffer) >= self._store.settings.chunk_bytes:
            await self._flush(self._store.settings.chunk_bytes)

    async def end(self, purpose: str, keep_s: float | None = None) -> FileRecord:
        """It is whole. Raises ApiError 413, and FileGone."""
        record = await self._store.end(self.id, await self.finish(purpose, keep_s))
        self._is_ended = True
        return record

    async def finish(self, purpose: str, keep_s: float | None = None) -> FileEnd:
        """All its bytes are in the database, and what is left is to say so (`end`, `end_within`)."""
        if self._buffer:
            await self._flush(len(self._buffer))
        kind = type_of(self._head, is_all=self.size == len(self._head))
        return FileEnd(self.size, self._hash.hexdigest(), kind, purpose, keep_s)

    async def end_within(self, connection: "AsyncConnection", end: FileEnd) -> FileRecord:
        """In a transaction of somebody else's, who calls `ended` when that is committed."""
        return await self._store.end_within(connection, self.id, end)

    def ended(self) -> None:
        self._is_ended = True

    async def _flush(self, count: int) -> None:
        chunk = bytes(self._buffer[:count])
        await self._store.append(self.id, self._number, chunk, is_bounded=self._new.is_bounded)
        del self._buffer[:count]
        self._number += 1
