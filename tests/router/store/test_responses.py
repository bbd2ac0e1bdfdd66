"""Answers of `/responses` in the database."""

import asyncio
from dataclasses import replace

from router.protocol.responses.memory import Remembered
from router.store.response_records import ResponseRecord
from router.store.responses import ResponseStore
from tests.router.store.support import NOW, Stores, with_stores

ANSWER = Remembered("resp_1", int(NOW), "m/eyes", "completed", b'["\xc3\xa4"]', b'{"output":[]}', "resp_0")


def record(number: int = 1, *, workspace: str = "default", expires_at: float = NOW + 10) -> ResponseRecord:
    answer = replace(ANSWER, id=f"resp_{number}", created=int(NOW) + number)
    return ResponseRecord(workspace, "config:k", expires_at, answer)


def store_of(stores: Stores) -> ResponseStore:
    return ResponseStore(stores.database, stores.clock)


def test_an_answer_comes_back_as_it_was_until_it_expires(url: str) -> None:
    async def use(stores: Stores) -> None:
        store, one = store_of(stores), record()
        await store.write([one, record(2)])
        assert one.answer == await store.get("default", "resp_1")
        stores.now = NOW + 10
        assert await store.get("default", "resp_1") is None
        assert not await store.delete("default", "resp_1")

    with_stores(url, use)


def test_writing_may_be_repeated(url: str) -> None:
    async def use(stores: Stores) -> None:
        store, one = store_of(stores), record()
        await store.write([one])
        await store.write([replace(one, answer=replace(one.answer, model="another")), record(2)])
        assert one.answer == await store.get("default", "resp_1")
        assert record(2).answer == await store.get("default", "resp_2")

    with_stores(url, use)


def test_only_its_workspace_sees_or_deletes_it(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        await store.write([record()])
        for workspace, name in (("elsewhere", "resp_1"), ("default", "resp_2"), ("default", "\0")):
            assert await store.get(workspace, name) is None
            assert not await store.delete(workspace, name)
        assert await store.delete("default", "resp_1")
        assert await store.get("default", "resp_1") is None
        assert not await store.delete("default", "resp_1")

    with_stores(url, use)


def test_what_has_expired_is_deleted_a_little_at_a_time(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        await store.write([record(number, expires_at=NOW - 5 + number) for number in range(10)])
        assert [4, 2, 0] == [await store.expire(4) for _ in range(3)]
        assert record(6, expires_at=NOW + 1).answer == await store.get("default", "resp_6")

    with_stores(url, use)


def test_of_a_crowded_workspace_the_oldest_go(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        await store.write([record(number) for number in range(5)])
        await store.write([record(number, workspace="small") for number in (7, 8)])
        assert ["default"] == await store.crowded(2)
        assert [] == await store.crowded(5)
        assert [2, 1, 0] == [await store.trim("default", 2, 2) for _ in range(3)]
        assert [False, False, False, True, True] == [
            await store.get("default", f"resp_{number}") is not None for number in range(5)
        ]
        assert await store.get("small", "resp_7") is not None

    with_stores(url, use)


def test_two_routers_may_sweep_at_once(url: str) -> None:
    async def use(stores: Stores) -> None:
        store = store_of(stores)
        await store.write([record(number, expires_at=NOW - 1) for number in range(50)])
        assert 50 == sum(await asyncio.gather(*(store.expire(50) for _ in range(4))))

    with_stores(url, use)
