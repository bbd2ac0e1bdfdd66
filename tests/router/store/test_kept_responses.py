"""Answers on their way into the database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from router.policy.key import Key
from router.protocol.responses.memory import Remembered
from router.store.away import DatabaseAway
from router.store.kept_responses import KeptResponses
from router.store.response_records import ResponseRecord
from router.store.responses import ResponseStore
from router.store.responses_settings import ResponsesSettings
from tests.router.store.support import NOW, Stores, with_stores

KEY = Key("config:k", "k")
STRANGER = Key("config:s", "s", workspace="elsewhere")
SETTINGS = ResponsesSettings(response_bytes=1_024, waiting_bytes=2_048)


def answer(number: int, size: int = 100) -> Remembered:
    return Remembered(
        f"resp_{number}", int(NOW) + number, "m", "completed", b"[" + b" " * (size - 15) + b"]", b'{"output":[]}'
    )


class Rows:
    """A database in memory, which is away as often as it is told, and may be held up."""

    def __init__(self, *, away: int = 0, refuses: bool = False) -> None:
        self.rows: dict[str, ResponseRecord] = {}
        self.batches: list[int] = []
        self.away = away
        self.refuses = refuses
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def write(self, records: Sequence[ResponseRecord]) -> None:
        await self.may_go_on.wait()
        if self.away:
            self.away -= 1
            raise DatabaseAway("away")
        if self.refuses:
            raise ValueError("no such table")
        self.batches.append(len(records))
        self.rows |= {each.answer.id: each for each in records}

    async def get(self, workspace: str, response: str) -> Remembered | None:
        found = self.rows.get(response)
        return None if found is None or found.workspace != workspace else found.answer

    async def delete(self, workspace: str, response: str) -> bool:
        return self.rows.pop(response, None) is not None

    async def expire(self, most: int) -> int:
        if self.away:
            self.away -= 1
            raise DatabaseAway("away")
        return 0

    async def crowded(self, most: int) -> Sequence[str]:
        return []

    async def trim(self, workspace: str, keep: int, most: int) -> int:
        raise AssertionError


def kept(rows: Rows, settings: ResponsesSettings = SETTINGS) -> KeptResponses:
    return KeptResponses(rows, settings, wall_clock=lambda: NOW, sleep=pause)


async def pause(seconds: float) -> None:
    """As short as one can be, unless it is until the next sweep."""
    if seconds > 100:
        await asyncio.Event().wait()
    await asyncio.sleep(0)


def running(responses: KeptResponses, use: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        task = asyncio.create_task(responses.run())
        await use()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


async def written(responses: KeptResponses) -> None:
    async with asyncio.timeout(30):
        while len(responses):  # noqa: ASYNC110 - it runs beside
            await asyncio.sleep(0)


def test_what_is_kept_is_found_before_and_after_it_is_written() -> None:
    rows = Rows()
    responses = kept(rows)

    async def use() -> None:
        assert responses.keep(KEY, answer(1))
        assert (1, 100) == (len(responses), responses.waiting_bytes)
        assert answer(1) == await responses.find("default", "resp_1")
        assert await responses.find("elsewhere", "resp_1") is None
        await written(responses)
        assert answer(1) == await responses.find("default", "resp_1")
        assert (0, 1) == (responses.waiting_bytes, responses.written)
        assert NOW + 30 * 86_400 == rows.rows["resp_1"].expires_at

    running(responses, use)


def test_batches_grow_while_the_database_is_slow() -> None:
    rows = Rows()
    responses = kept(rows)

    async def use() -> None:
        rows.may_go_on.clear()
        responses.keep(KEY, answer(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(2, 10):
            responses.keep(KEY, answer(number))
        rows.may_go_on.set()
        await written(responses)

    running(responses, use)
    assert 9 == sum(rows.batches)
    assert len(rows.batches) <= 2


def test_a_batch_has_a_bound_in_bytes_and_in_rows() -> None:
    rows = Rows()
    large = 5_000_000
    settings = ResponsesSettings(response_bytes=large)
    responses = kept(rows, settings)

    async def use() -> None:
        for number in range(3):
            responses.keep(KEY, answer(number, large))
        await written(responses)
        for number in range(3, 153):
            responses.keep(KEY, answer(number))
        await written(responses)

    running(responses, use)
    assert [1, 1, 1, 100, 50] == rows.batches


def test_beyond_its_room_nothing_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    responses = kept(Rows())

    async def use() -> None:
        for first in (0, 10):
            numbers = range(first, first + 4)
            assert [True, True, False, False] == [responses.keep(KEY, answer(number, 1_000)) for number in numbers]
            await written(responses)

    with caplog.at_level(logging.ERROR):
        running(responses, use)
    assert (4, 4) == (responses.dropped, responses.written)
    assert 2 == len(caplog.records)  # once each time that it was full


def test_a_database_that_comes_back_gets_everything() -> None:
    rows = Rows(away=5)
    responses = kept(rows)

    async def use() -> None:
        responses.keep(KEY, answer(1))
        await written(responses)

    running(responses, use)
    assert (1, 5) == (responses.written, responses.failures)


def test_what_is_refused_does_not_hold_up_the_rest() -> None:
    rows = Rows(refuses=True)
    responses = kept(rows)

    async def use() -> None:
        responses.keep(KEY, answer(1))
        await written(responses)
        rows.refuses = False
        responses.keep(KEY, answer(2))
        await written(responses)

    running(responses, use)
    assert (1, 1) == (responses.dropped, responses.written)
    assert ["resp_2"] == list(rows.rows)


def test_the_rest_is_written_when_the_router_stops() -> None:
    rows = Rows()
    responses = kept(rows)

    async def use() -> None:
        await asyncio.sleep(0)
        responses.keep(KEY, answer(1))

    running(responses, use)
    assert ["resp_1"] == list(rows.rows)


def test_a_router_stops_in_time_without_its_database(caplog: pytest.LogCaptureFixture) -> None:
    rows = Rows()
    responses = kept(rows, replace(SETTINGS, drain_s=0.01))

    async def use() -> None:
        rows.may_go_on.clear()
        responses.keep(KEY, answer(1))
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        running(responses, use)
    assert "1 answers were not written and are lost" in caplog.text


def test_what_is_deleted_while_it_is_written_is_gone() -> None:
    rows = Rows()
    responses = kept(rows)

    async def use() -> None:
        rows.may_go_on.clear()
        responses.keep(KEY, answer(1))
        await asyncio.sleep(0)
        deletion = asyncio.create_task(responses.delete("default", "resp_1"))
        await asyncio.sleep(0)
        rows.may_go_on.set()
        assert await deletion
        assert await responses.find("default", "resp_1") is None

    running(responses, use)
    assert not rows.rows


def test_what_waits_is_deleted_by_its_workspace_alone() -> None:
    responses = kept(Rows())

    async def main() -> None:
        responses.keep(KEY, answer(1))
        assert not await responses.delete("elsewhere", "resp_1")
        assert await responses.delete("default", "resp_1")
        assert not await responses.delete("default", "resp_1")

    asyncio.run(main())
    assert (0, 0) == (len(responses), responses.waiting_bytes)


def test_sweeping_deletes_what_is_old_or_too_much(url: str) -> None:
    async def use(stores: Stores) -> None:
        has_begun = asyncio.Event()

        async def sleep(_: float) -> None:
            has_begun.set()
            await asyncio.get_running_loop().create_future()

        responses = KeptResponses(
            ResponseStore(stores.database, stores.clock),
            replace(SETTINGS, per_workspace=3),
            wall_clock=stores.clock,
            sleep=sleep,
        )
        task = asyncio.create_task(responses.run())
        await has_begun.wait()  # its own first sweep is over
        responses.keep(STRANGER, answer(0))
        await written(responses)
        stores.now += 31 * 86_400
        for number in range(1, 6):
            responses.keep(KEY, answer(number))
        await written(responses)
        await responses.sweep()
        assert 3 == responses.swept
        assert [False, False, True] == [
            await responses.find("default", f"resp_{number}") is not None for number in (1, 2, 3)
        ]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with_stores(url, use)


def test_routers_that_sweep_at_the_same_time_delete_no_more_than_is_too_much(url: str) -> None:
    async def use(stores: Stores) -> None:
        settings = replace(SETTINGS, per_workspace=10, waiting_bytes=1_000_000)
        rows = ResponseStore(stores.database, stores.clock)
        both = [KeptResponses(rows, settings, wall_clock=stores.clock) for _ in range(2)]
        task = asyncio.create_task(both[0].run())
        for number in range(30):
            both[0].keep(KEY, answer(number))
        await written(both[0])
        await asyncio.gather(*(each.sweep() for each in both))
        found = [await both[1].find("default", f"resp_{number}") is not None for number in range(30)]
        assert 10 == sum(found)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with_stores(url, use)


def test_a_sweep_that_finds_no_database_is_one_of_many() -> None:
    rows = Rows(away=1)
    responses = kept(rows)

    async def use() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        responses.keep(KEY, answer(1))
        await written(responses)

    running(responses, use)
    assert (1, 1) == (responses.failures, responses.written)


@pytest.mark.parametrize(
    "values",
    [
        {"days": 0},
        {"backoff_s": 0},
        {"backoff_max_s": 0.01},
        {"sweep_s": 0},
        {"response_bytes": 1_023},
        {"response_bytes": 268_435_457},
        {"per_workspace": 0},
        {"waiting_bytes": 4_194_303},
        {"drain_s": -1},
    ],
)
def test_settings_out_of_range_are_named(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(values))} must be"):
        ResponsesSettings(**values)  # type: ignore[arg-type]
