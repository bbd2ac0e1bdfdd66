import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from router.policy.key import Key
from router.store.away import DatabaseAway
from router.store.known_keys import KnownKeys, TooManyWait
from router.store.known_keys_settings import KnownKeysSettings

A, B, C = "a" * 64, "b" * 64, "c" * 64


class Database:
    """Keys that can be changed, behind a door that can be shut."""

    def __init__(self, *ids: str) -> None:
        self.keys = {key_id: Key(key_id, "first") for key_id in ids}
        self.is_away = False
        self.asked: list[tuple[str, ...]] = []
        self.entered = asyncio.Event()
        self.let_in = asyncio.Event()
        self.let_in.set()

    async def find(self, ids: Sequence[str]) -> Mapping[str, Key]:
        self.asked.append(tuple(ids))
        found = {key_id: self.keys[key_id] for key_id in ids if key_id in self.keys}
        self.entered.set()
        await self.let_in.wait()
        if self.is_away:
            raise DatabaseAway("away")
        return found


class World:
    """A router's cache before such a database, and a clock to move."""

    def __init__(self, *ids: str, **settings: Any) -> None:
        self.now = 1_000.0
        self.database = Database(*ids)
        self.known = KnownKeys(self.database, KnownKeysSettings(**settings), clock=lambda: self.now)


def in_world(*ids: str, **settings: Any) -> Callable[[Callable[[World], Any]], Callable[[], None]]:
    """Run a test in an event loop of its own."""

    def decorate(test: Callable[[World], Any]) -> Callable[[], None]:
        def run() -> None:
            async def inside() -> None:
                await test(World(*ids, **settings))

            asyncio.run(inside())

        run.__name__ = test.__name__
        return run

    return decorate


@in_world(A)
async def test_a_key_is_looked_up_once_and_then_found_without_waiting(w: World) -> None:
    assert w.known.get(A) is None
    assert await w.known.find(A) == Key(A, "first")
    w.now += 4.9
    assert w.known.get(A) == Key(A, "first")
    assert [(A,)] == w.database.asked


@in_world(A, B)
async def test_all_keys_in_use_are_read_again_in_one_statement(w: World) -> None:
    await w.known.find(A)
    await w.known.find(B)
    w.database.keys[A] = Key(A, "second")
    w.now += 2.5
    await w.known.refresh()
    assert {A, B} == set(w.database.asked[-1])
    assert w.known.get(A) == Key(A, "second")


@in_world(A, B)
async def test_a_key_that_is_not_in_use_is_read_again_when_it_comes_back(w: World) -> None:
    await w.known.find(A)
    w.now += 31
    await w.known.refresh()
    assert [(A,)] == w.database.asked
    assert w.known.get(A) is None
    w.database.keys[A] = Key(A, "second")
    assert await w.known.find(A) == Key(A, "second")


@in_world(A)
async def test_a_deleted_key_is_nobody_after_the_next_reading(w: World) -> None:
    await w.known.find(A)
    del w.database.keys[A]
    w.now += 2.5
    await w.known.refresh()
    assert w.known.get(A) is None
    assert await w.known.find(A) is None
    assert 2 == len(w.database.asked)


@in_world(A)
async def test_what_was_changed_here_counts_at_once(w: World) -> None:
    await w.known.find(A)
    w.database.keys[A] = Key(A, "second")
    w.known.changed()
    assert w.known.get(A) is None
    w.now += 0.01
    assert await w.known.find(A) == Key(A, "second")
    assert w.known.get(A) == Key(A, "second")


@in_world(A)
async def test_an_answer_from_before_a_change_is_not_kept(w: World) -> None:
    w.database.let_in.clear()
    asking = asyncio.create_task(w.known.find(A))
    await w.database.entered.wait()
    w.now += 0.01
    w.database.keys[A] = Key(A, "second")
    w.known.changed(A)
    w.database.let_in.set()
    await asking
    assert w.known.get(A) is None
    w.now += 0.01
    assert await w.known.find(A) == Key(A, "second")


@in_world(A)
async def test_while_the_database_is_away_known_keys_count_on_and_nobody_waits(w: World) -> None:
    await w.known.find(A)
    w.database.is_away = True
    w.now += 2.5
    await w.known.refresh()
    w.now += 3_000
    assert w.known.get(A) == Key(A, "first")
    assert 1 == w.known.stale_uses
    w.now += 601
    assert w.known.get(A) is None
    with pytest.raises(DatabaseAway):
        await w.known.find(A)


@in_world(A)
async def test_a_key_that_comes_back_after_long_counts_on_too(w: World) -> None:
    await w.known.find(A)
    w.database.is_away = True
    w.now += 1_000
    assert await w.known.find(A) == Key(A, "first")
    assert w.known.is_away
    w.database.is_away = False
    await w.known.refresh()
    assert not w.known.is_away


@in_world(A)
async def test_an_unknown_key_while_the_database_is_away_is_not_refused_for_good(w: World) -> None:
    w.database.is_away = True
    with pytest.raises(DatabaseAway):
        await w.known.find(A)
    assert 1 == w.known.refused
    w.database.is_away = False
    assert await w.known.find(A) == Key(A, "first")


@in_world(A)
async def test_while_a_reading_hangs_nobody_waits_for_it(w: World) -> None:
    await w.known.find(A)
    w.database.let_in.clear()
    w.database.entered.clear()
    reading = asyncio.create_task(w.known.refresh())
    await w.database.entered.wait()
    w.now += 5.1
    assert w.known.get(A) == Key(A, "first")
    w.database.let_in.set()
    await reading


@in_world(wait_s=0.001)
async def test_whose_key_is_not_read_in_time_is_told_so(w: World) -> None:
    w.database.let_in.clear()
    with pytest.raises(DatabaseAway):
        await w.known.find(A)
    assert w.known.is_away
    w.database.let_in.set()


@in_world()
async def test_that_a_key_does_not_exist_is_remembered_for_a_while(w: World) -> None:
    assert await w.known.find(A) is None
    w.now += 9.9
    assert await w.known.find(A) is None
    assert 1 == len(w.database.asked)
    w.database.keys[A] = Key(A, "made")
    w.now += 0.2
    assert await w.known.find(A) == Key(A, "made")


@in_world(unknown=2)
async def test_the_memory_of_unknown_keys_is_bounded(w: World) -> None:
    for key_id in (A, B, C, A):
        await w.known.find(key_id)
    assert [(A,), (B,), (C,), (A,)] == w.database.asked


@in_world(A, B, C, keys=2)
async def test_the_key_that_was_used_longest_ago_makes_room(w: World) -> None:
    await w.known.find(A)
    await w.known.find(B)
    w.known.get(A)
    await w.known.find(C)
    assert 2 == w.known.keys
    assert (True, False, True) == tuple(w.known.get(key_id) is not None for key_id in (A, B, C))


@in_world(A, B, C, lookups=1)
async def test_those_who_wait_at_the_same_time_are_looked_up_together_and_each_key_once(w: World) -> None:
    w.database.let_in.clear()
    first = asyncio.create_task(w.known.find(A))
    await w.database.entered.wait()
    others = [asyncio.create_task(w.known.find(key_id)) for key_id in (A, B, C, B)]
    await asyncio.sleep(0)
    w.database.let_in.set()
    assert {A, B, C} == {key.id for key in await asyncio.gather(first, *others) if key is not None}
    assert [(A,), (B, C)] == w.database.asked


@in_world(A)
async def test_one_who_leaves_takes_nothing_from_the_others(w: World) -> None:
    w.database.let_in.clear()
    leaving, staying = (asyncio.create_task(w.known.find(A)) for _ in range(2))
    await w.database.entered.wait()
    leaving.cancel()
    w.database.let_in.set()
    assert await staying == Key(A, "first")
    assert leaving.cancelled() or leaving.cancelling()
    assert [(A,)] == w.database.asked


@in_world(A, waiting=1)
async def test_only_so_many_may_wait(w: World) -> None:
    w.database.let_in.clear()
    waiting = asyncio.create_task(w.known.find(A))
    await w.database.entered.wait()
    with pytest.raises(TooManyWait):
        await w.known.find(B)
    w.database.let_in.set()
    assert await waiting == Key(A, "first")
    assert await w.known.find(B) is None


@in_world(A, B, C, batch=2)
async def test_many_keys_are_read_again_in_several_statements(w: World) -> None:
    for key_id in (A, B, C):
        await w.known.find(key_id)
    w.database.asked.clear()
    await w.known.refresh()
    assert [2, 1] == [len(ids) for ids in w.database.asked]


@in_world(A, fresh_s=0.001, stale_s=1)
async def test_run_reads_again_and_leaves_nobody_waiting_when_it_ends(w: World) -> None:
    await w.known.find(A)
    w.database.entered.clear()
    running = asyncio.create_task(w.known.run())
    await w.database.entered.wait()
    w.database.let_in.clear()
    w.database.entered.clear()
    waiting = asyncio.create_task(w.known.find(B))
    await w.database.entered.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    with pytest.raises(DatabaseAway):
        await waiting


@in_world(A, fresh_s=1_000)
async def test_a_change_makes_run_read_at_once(w: World) -> None:
    await w.known.find(A)
    w.database.entered.clear()
    running = asyncio.create_task(w.known.run())
    await w.database.entered.wait()
    w.database.entered.clear()
    w.known.changed()
    await w.database.entered.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert 3 == len(w.database.asked)


@pytest.mark.parametrize(
    ("field", "value"),
    [("fresh_s", 0), ("unknown_s", 0), ("recent_s", 0), ("wait_s", 0), ("stale_s", 1), ("keys", 0), ("lookups", 0)],
)
def test_settings_out_of_range_are_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        KnownKeysSettings(**{field: value})  # type: ignore[arg-type]
