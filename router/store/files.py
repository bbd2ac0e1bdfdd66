"""Files in the database, in chunks: whichever router is asked has them, and they are gone when their row is.

A folder would have to be shared by all routers, swept of what they left when they died, and backed up at the same
moment as the rows that name its files; chunks in the database need none of it. A file arrives in many short
transactions, seen by nobody until the last of them (see decision in docs/batches.md).
"""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.protocol.errors import ApiError, invalid
from router.store.database import Database
from router.store.file_records import FileEnd, FileGone, FileRecord, NewFile
from router.store.files_settings import FilesSettings
from router.store.schema import file_chunks, files, workspaces
from router.store.text import check, is_storable
from router.store.workspaces import demand_workspace


class FileStore:
    """All methods raise DatabaseAway."""

    def __init__(
        self,
        database: Database,
        wall_clock: Callable[[], float],
        settings: FilesSettings | None = None,
        new_id: Callable[[], str] = lambda: f"file-{uuid4().hex}",
    ) -> None:
        self._database = database
        self._wall_clock = wall_clock
        self.settings = settings or FilesSettings()
        self._new_id = new_id

    async def begin(self, new: NewFile) -> str:
        """Its id.

        Raises:
            ApiError: 400, something cannot be stored, or there are too many files.
        """
        check("filename", new.filename)
        now, file = self._wall_clock(), self._new_id()
        async with self._database.writing() as connection:
            await demand_workspace(connection, new.workspace)
            if new.is_bounded:
                await self._check_room(connection, new.workspace, more=1)
            await connection.execute(
                self._database.insert(files).values(
                    id=file,
                    workspace=new.workspace,
                    filename=new.filename,
                    mime_type="",
                    purpose="",
                    size=0,
                    creator=new.creator,
                    created_at=now,
                    touched_at=now,
                )
            )
        return file

    async def append(self, file: str, number: int, data: bytes, *, is_bounded: bool = True) -> None:
        """The next chunk; `number`: from 0. Saying it twice does no harm.

        Raises:
            ApiError: 413, the file or all of the workspace's are too large.
            FileGone: it is not arriving any more.
        """
        async with self._database.writing() as connection:
            insert = self._database.insert(file_chunks).values(file=file, number=number, data=data)
            grown = (
                update(files)
                .where(files.c.id == file, files.c.sha256.is_(None))
                .values(size=files.c.size + len(data), touched_at=self._wall_clock())
                .returning(files.c.size, files.c.workspace)
            )
            row = (await connection.execute(grown)).first()
            if row is None:
                raise FileGone(file)
            new = (await connection.execute(insert.on_conflict_do_nothing().returning(file_chunks.c.number))).first()
            if new is None:
                await connection.execute(update(files).where(files.c.id == file).values(size=row.size - len(data)))
                return
            if not is_bounded:
                return
            if row.size > self.settings.file_bytes:
                most = self.settings.file_bytes
                raise ApiError("payload_too_large", f"The file is larger than {most} bytes (stored_files.file_bytes).")
            await self._check_room(connection, row.workspace)

    async def end(self, file: str, end: FileEnd) -> FileRecord:
        """It is whole.

        Raises:
            ApiError: 413, all of the workspace's are too large together.
            FileGone: it is not arriving any more.
        """
        async with self._database.writing() as connection:
            record = await self.end_within(connection, file, end)
            # others that end at the same moment wait here, and count this one
            lock = select(workspaces.c.id).where(workspaces.c.id == record.workspace).with_for_update()
            await connection.execute(lock)
            await self._check_room(connection, record.workspace)
        return record

    async def end_within(self, connection: AsyncConnection, file: str, end: FileEnd) -> FileRecord:
        """As `end`, within a transaction of somebody else's, and whatever the workspace may keep."""
        now = self._wall_clock()
        whole = (
            update(files)
            .where(files.c.id == file, files.c.sha256.is_(None), files.c.size == end.size)
            .values(
                sha256=end.sha256,
                mime_type=end.mime_type,
                purpose=end.purpose,
                touched_at=now,
                expires_at=None if end.keep_s is None else now + end.keep_s,
            )
            .returning(files)
        )
        row = (await connection.execute(whole)).first()
        if row is None:
            raise FileGone(file)
        return _record(row)

    async def get(self, workspace: str, file: str) -> FileRecord | None:
        """None: there is none."""
        if not is_storable(file):
            return None
        wanted = select(files).where(files.c.id == file, files.c.workspace == workspace, self._is_there())
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).first()
        return None if row is None else _record(row)

    async def page(
        self, workspace: str, *, after: str | None, limit: int, purpose: str | None = None, newest_first: bool = False
    ) -> list[FileRecord] | None:
        """Those that come after `after`; None: there is no such file."""
        place = files.c.created_at, files.c.id
        wanted = select(files).where(files.c.workspace == workspace, self._is_there())
        if purpose is not None:
            if not is_storable(purpose):
                return []
            wanted = wanted.where(files.c.purpose == purpose)
        async with self._database.reading() as connection:
            if after is not None:
                if not is_storable(after):
                    return None
                known = select(*place).where(files.c.id == after, files.c.workspace == workspace)
                row = (await connection.execute(known)).first()
                if row is None:
                    return None
                wanted = wanted.where(_follows(row.created_at, row.id, newest_first=newest_first))
            order = [column.desc() for column in place] if newest_first else [*place]
            return [_record(row) for row in await connection.execute(wanted.order_by(*order).limit(limit))]

    async def delete(self, workspace: str, file: str) -> bool:
        """Whether it was there."""
        if not is_storable(file):
            return False
        gone = delete(files).where(files.c.id == file, files.c.workspace == workspace).returning(files.c.id)
        async with self._database.writing() as connection:
            return (await connection.execute(gone)).first() is not None

    async def read(self, file: str) -> AsyncIterator[bytes]:
        """Its chunks, each in a transaction of its own: a slow reader holds nothing.

        Raises:
            FileGone: it was deleted meanwhile.
        """
        number, left = 0, await self._size(file)
        while left > 0:
            wanted = select(file_chunks.c.data).where(file_chunks.c.file == file, file_chunks.c.number == number)
            async with self._database.reading() as connection:
                row = (await connection.execute(wanted)).first()
            if row is None:
                raise FileGone(file)
            yield row.data
            left -= len(row.data)
            number += 1

    async def sweep(self) -> int:
        """Delete what has expired, and what nobody goes on sending; how many that were."""
        now = self._wall_clock()
        left = and_(files.c.sha256.is_(None), files.c.touched_at < now - self.settings.unfinished_s)
        gone = delete(files).where(or_(left, files.c.expires_at <= now)).returning(files.c.id)
        async with self._database.writing() as connection:
            return len((await connection.execute(gone)).all())

    async def _size(self, file: str) -> int:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(files.c.size).where(files.c.id == file))).first()
        if row is None:
            raise FileGone(file)
        return int(row.size)

    async def _check_room(self, connection: AsyncConnection, workspace: str, more: int = 0) -> None:
        counted = select(func.count(), func.coalesce(func.sum(files.c.size), 0)).where(files.c.workspace == workspace)
        number, size = (await connection.execute(counted)).one()
        if more and number + more > self.settings.files:
            raise invalid(
                "file", f"a workspace has at most {self.settings.files} files (stored_files.files): delete some"
            )
        if size > self.settings.workspace_bytes:
            most = self.settings.workspace_bytes
            message = f"A workspace keeps at most {most} bytes of files (stored_files.workspace_bytes): delete some."
            raise ApiError("payload_too_large", message)

    def _is_there(self) -> ColumnElement[bool]:
        is_kept = or_(files.c.expires_at.is_(None), files.c.expires_at > self._wall_clock())
        return and_(files.c.sha256.is_not(None), is_kept)


def _follows(created_at: float, file: str, *, newest_first: bool) -> ColumnElement[bool]:
    if newest_first:
        beside = and_(files.c.created_at == created_at, files.c.id < file)
        return or_(files.c.created_at < created_at, beside)
    return or_(files.c.created_at > created_at, and_(files.c.created_at == created_at, files.c.id > file))


def _record(row: Row[tuple[object, ...]]) -> FileRecord:
    return FileRecord(
        id=row.id,
        workspace=row.workspace,
        filename=row.filename,
        mime_type=row.mime_type,
        purpose=row.purpose,
        size=row.size,
        sha256=row.sha256,
        creator=row.creator,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
