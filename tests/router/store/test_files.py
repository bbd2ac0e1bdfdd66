"""Files in the database, in chunks."""

import asyncio
import hashlib

import pytest
from sqlalchemy import select

from router.protocol.errors import ApiError
from router.store.file_records import FileEnd, FileGone, FileRecord, NewFile
from router.store.file_writer import FileWriter
from router.store.files import FileStore
from router.store.files_settings import FilesSettings
from router.store.schema import file_chunks, files
from tests.router.store.support import NOW, Stores, with_stores

SMALL = FilesSettings(file_bytes=50_000, workspace_bytes=100_000, files=3, chunk_bytes=4_096)


def store_of(stores: Stores, settings: FilesSettings = SMALL) -> FileStore:
    numbers = iter(range(1, 1_000))
    return FileStore(stores.database, stores.clock, settings, lambda: f"file-{next(numbers)}")


async def save(store: FileStore, content: bytes, name: str = "a.txt", keep_s: float | None = None) -> FileRecord:
    async with FileWriter(store, NewFile("default", name, "k")) as writer:
        for start in range(0, len(content), 1_000):
            await writer.write(content[start : start + 1_000])
        return await writer.end("batch", keep_s)


async def content_of(store: FileStore, file: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(file)])


def test_a_file_comes_back_as_it_was_sent(url: str) -> None:
    async def use(stores: Stores) -> None:
        store, content = store_of(stores), bytes(range(256)) * 50
        made = await save(store, content)
        digest = hashlib.sha256(content).hexdigest()
        kind = "application/octet-stream"
        assert FileRecord("file-1", "default", "a.txt", kind, "batch", 12_800, digest, "k", NOW, None) == made
        assert made == await store.get("default", "file-1")
        assert await store.get("elsewhere", "file-1") is None
        assert content == await content_of(store, "file-1")
        async with stores.database.reading() as connection:
            sizes = await connection.execute(select(file_chunks.c.data).order_by(file_chunks.c.number))
            assert [4_096, 4_096, 4_096, 512] == [len(row.data) for row in sizes]

    with_stores(url, use)


def test_one_that_is_not_whole_is_seen_by_nobody_and_is_gone_when_it_is_given_up(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        async with FileWriter(store, NewFile("default", "a", None)) as writer:
            await writer.write(b"a" * 10_000)
            assert await store.get("default", writer.id) is None
            assert [] == await store.page("default", after=None, limit=9)
        async with stores.database.reading() as connection:
            assert [] == (await connection.execute(select(files))).all()
            assert [] == (await connection.execute(select(file_chunks))).all()

    with_stores(url, use)


def test_a_chunk_that_is_sent_twice_counts_once(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        file = await store.begin(NewFile("default", "a", None))
        for _ in range(2):
            await store.append(file, 0, b"abc")
        end = FileEnd(3, "0", "text/plain", "batch")
        with pytest.raises(FileGone):
            await store.end(file, FileEnd(4, "0", "text/plain", "batch"))
        assert 3 == (await store.end(file, end)).size
        with pytest.raises(FileGone):
            await store.append(file, 1, b"more")
        with pytest.raises(FileGone):
            await store.end(file, end)

    with_stores(url, use)


def test_what_is_too_large_or_too_many_is_refused(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        with pytest.raises(ApiError, match=r"files\.file_bytes"):
            await save(store, b"a" * 50_001)
        for _ in range(2):
            await save(store, b"a" * 45_000)
        with pytest.raises(ApiError, match=r"files\.workspace_bytes") as caught:
            await save(store, b"a" * 45_000)
        assert 413 == caught.value.status
        await save(store, b"a")
        with pytest.raises(ApiError, match="at most 3 files"):
            await save(store, b"a")
        with pytest.raises(ApiError, match="NUL"):
            await store.begin(NewFile("default", "\0", None))
        new = NewFile("default", "out", None, is_bounded=False)
        async with FileWriter(store, new) as writer:
            await writer.write(b"a" * 60_000)
            end = await writer.finish("batch_output")
            async with stores.database.writing() as connection:
                await writer.end_within(connection, end)
            writer.ended()
        assert await store.get("default", writer.id)

    with_stores(url, use)


def test_uploads_side_by_side_do_not_pass_the_limit_together(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores, FilesSettings(workspace_bytes=100_000, chunk_bytes=4_096))
        done = await asyncio.gather(*(save(store, b"a" * 40_000) for _ in range(5)), return_exceptions=True)
        assert len([each for each in done if isinstance(each, FileRecord)]) <= 2
        assert {FileRecord, ApiError} >= {type(each) for each in done}

    with_stores(url, use)


def test_they_are_listed_both_ways_from_any_of_them(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores, FilesSettings())
        for name in ("a", "b", "c"):
            await save(store, b"x", name)
            stores.now += 1
        names = ["a", "b", "c"]
        assert names == [each.filename for each in await store.page("default", after=None, limit=9) or ()]
        last = await store.page("default", after="file-1", limit=1)
        assert ["b"] == [each.filename for each in last or ()]
        back = await store.page("default", after="file-3", limit=9, newest_first=True)
        assert ["b", "a"] == [each.filename for each in back or ()]
        assert [] == await store.page("default", after=None, limit=9, purpose="vision")
        assert [] == await store.page("default", after=None, limit=9, purpose="\0")
        for nothing in ("none", "\0"):
            assert await store.page("default", after=nothing, limit=9) is None

    with_stores(url, use)


def test_a_file_that_is_deleted_while_it_is_read_is_told(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        made = await save(store, b"a" * 9_000)
        reading = store.read(made.id)
        assert 4_096 == len(await anext(reading))
        assert not await store.delete("elsewhere", made.id)
        assert not await store.delete("default", "\0")
        assert await store.delete("default", made.id)
        with pytest.raises(FileGone):
            await anext(reading)
        with pytest.raises(FileGone):
            await content_of(store, made.id)
        assert await store.get("default", "\0") is None

    with_stores(url, use)


def test_what_has_expired_or_was_left_is_swept(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        brief, kept = await save(store, b"a", keep_s=10.0), await save(store, b"b")
        left = await store.begin(NewFile("default", "left", None))
        stores.now += 11
        assert await store.get("default", brief.id) is None
        assert 1 == await store.sweep()
        stores.now += 3_600
        assert 1 == await store.sweep()
        assert kept == await store.get("default", kept.id)
        with pytest.raises(FileGone):
            await store.append(left, 0, b"a")

    with_stores(url, use)
