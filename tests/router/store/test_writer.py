"""Rows on their way from the spool into a ledger that is away, slow, or refuses some; a ledger in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from router.protocol.entry import Entry
from router.store.away import DatabaseAway
from router.store.spool import Spool
from router.store.spool_adoption import Adoption
from router.store.spool_damaged import DamagedLog
from router.store.spool_settings import WhenFull
from router.store.writer import LedgerWriter
from router.store.writer_settings import WriterSettings
from tests.router.store.spool_support import entry, ids, opened, records, request, spool

QUICK = WriterSettings(batch=10, flush_s=0.001)


class Ledger:
    """Holds each id once; is away while that is said; refuses rows by their ids, or all."""

    def __init__(self) -> None:
        self.rows: dict[str, Entry] = {}
        self.batches: list[list[str]] = []
        self.is_away = False
        self.is_lost_in_answer = False  # it writes, and the answer gets lost
        self.refuses: Callable[[Entry], bool] = lambda row: False
        self.has_written = asyncio.Condition()
        self.gate: asyncio.Event | None = None

    async def write(self, entries: Sequence[Entry]) -> int:
        self.batches.append(ids(entries))
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise DatabaseAway("the database is away: it cannot be reached")
        if any(self.refuses(row) for row in entries):
            raise ValueError("canary")
        before = len(self.rows)
        for row in entries:
            self.rows.setdefault(row.id, row)
        async with self.has_written:
            self.has_written.notify_all()
        if self.is_lost_in_answer:
            self.is_lost_in_answer = False
            raise DatabaseAway("the database is away: the connection broke")
        return len(self.rows) - before

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20), self.has_written:
            await self.has_written.wait_for(lambda: len(self.rows) >= count)


class World:
    """A spool, its writer, and who listens."""

    def __init__(self, directory: Path, spool: Spool, settings: WriterSettings) -> None:
        self.spool = spool
        self.ledger = Ledger()
        self.damaged = DamagedLog(directory, "boot")
        self.written: list[str] = []
        self.dropped: list[str] = []
        self.retired: list[str] = []
        self.pauses: list[float] = []
        self.has_paused = asyncio.Event()
        self.has_retired = asyncio.Event()
        self.unix_s = 1_000.0
        self.adoption = Adoption(directory, self.damaged, on_retired=self._retire)
        self.writer = LedgerWriter(
            spool,
            self.adoption,
            self.ledger,
            self.damaged,
            settings,
            adopt_s=60.0,
            wall_clock=lambda: self.unix_s,
            rng=Random(1),
            on_written=lambda rows: self.written.extend(ids(rows)),
            on_dropped=lambda rows: self.dropped.extend(ids(rows)),
            sleep=self._pause,
        )
        self.running: asyncio.Task[None] | None = None

    async def paused(self, times: int) -> None:
        """Returns when it has paused so often from now on."""
        until = len(self.pauses) + times
        async with asyncio.timeout(20):
            while len(self.pauses) < until:
                self.has_paused.clear()
                await self.has_paused.wait()

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.has_paused.set()
        await asyncio.sleep(0)

    def _retire(self, boot: str) -> None:
        self.retired.append(boot)
        self.has_retired.set()


@contextlib.asynccontextmanager
async def world(directory: Path, settings: WriterSettings = QUICK, **fields: object) -> AsyncIterator[World]:
    with spool(directory, **fields) as made:
        each = World(directory, made, settings)
        each.running = asyncio.create_task(each.writer.run())
        try:
            yield each
        finally:
            each.running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each.running


def test_rows_are_written_in_order_and_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            request(it.spool, *range(55))
            await it.ledger.until(55)
        names = [f"gen-{number}" for number in range(55)]
        assert names == list(it.ledger.rows) == it.written
        assert (55, 0, 0) == (it.writer.written, it.spool.pending, it.writer.failures)
        assert max(map(len, it.ledger.batches)) <= 10

    asyncio.run(scenario())


def test_a_full_batch_does_not_wait_for_its_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, WriterSettings(batch=10, flush_s=3_600.0)) as it:
            request(it.spool, 0)
            await it.ledger.until(1)
            request(it.spool, *range(1, 11))
            await it.ledger.until(11)

    asyncio.run(scenario())


def test_nothing_is_lost_or_reordered_while_the_database_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            it.ledger.is_away = True
            request(it.spool, 0)
            await it.paused(1)
            assert it.writer.is_away
            assert 1_000.0 == it.writer.oldest_s
            request(it.spool, *range(1, 300))
            await it.paused(10)
            assert [] == it.written
            assert it.spool.pending == 300
            it.ledger.is_away = False
            await it.ledger.until(300)
        assert [f"gen-{number}" for number in range(300)] == it.written == list(it.ledger.rows)
        assert not it.writer.is_away
        assert it.writer.failures == len(it.pauses)
        assert 1 == caplog.text.count("rows wait in the spool")
        assert 1 == caplog.text.count("rows are written again")

    asyncio.run(scenario())


def test_pauses_double_up_to_a_bound_and_begin_anew_after_a_success(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            it.ledger.is_away = True
            request(it.spool, 0)
            await it.paused(9)
            for pause, most in zip(it.pauses, (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0), strict=False):
                assert most / 2 <= pause <= most
            it.ledger.is_away = False
            await it.ledger.until(1)
            it.ledger.is_away = True
            before = len(it.pauses)
            request(it.spool, 1)
            await it.paused(1)
            assert it.pauses[before] <= 0.1
            it.ledger.is_away = False

    asyncio.run(scenario())


def test_a_row_whose_answer_was_lost_is_told_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            it.ledger.is_lost_in_answer = True
            request(it.spool, 1, 2)
            await it.paused(1)
            request(it.spool, 3)
            await it.ledger.until(3)
        assert ["gen-1", "gen-2", "gen-3"] == it.written == list(it.ledger.rows)

    asyncio.run(scenario())


def test_a_bad_row_is_set_aside_and_holds_up_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            it.ledger.refuses = lambda row: row.id in ("gen-3", "gen-17")
            request(it.spool, *range(30))
            await it.ledger.until(28)
        assert [f"gen-{number}" for number in range(30) if number not in (3, 17)] == it.written
        assert ["gen-3", "gen-17"] == it.dropped
        assert (28, 2, 2) == (it.writer.written, it.writer.refused, it.damaged.lines)
        assert [entry(3), entry(17)] == records(tmp_path / "damaged-boot.log")
        assert "canary" not in caplog.text

    asyncio.run(scenario())


def test_a_bad_row_that_is_alone_waits_for_a_good_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            it.ledger.refuses = lambda row: row.id == "gen-1"
            request(it.spool, 1)
            await it.paused(3)
            assert not it.writer.is_away
            assert 0 == it.writer.refused
            request(it.spool, 2)
            await it.ledger.until(1)
        assert (["gen-2"], ["gen-1"]) == (it.written, it.dropped)

    asyncio.run(scenario())


def test_a_database_that_refuses_everything_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            it.ledger.refuses = lambda row: True
            request(it.spool, *range(30))
            await it.paused(5)
            it.ledger.refuses = lambda row: False
            await it.ledger.until(30)
        assert [f"gen-{number}" for number in range(30)] == it.written
        assert [] == it.dropped
        assert 1 == caplog.text.count("refuses every row (ValueError)")

    asyncio.run(scenario())


def test_the_last_rows_are_written_when_it_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, WriterSettings(batch=10, flush_s=3_600.0)) as it:
            request(it.spool, 0)
            await it.ledger.until(1)
            request(it.spool, *range(1, 9))
            request(it.spool, *range(9, 35))
        assert 35 == len(it.ledger.rows)

    asyncio.run(scenario())
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("drain_s", [0.0, 0.01])
def test_the_end_does_not_wait_for_a_database_that_hangs(tmp_path: Path, drain_s: float) -> None:
    async def scenario() -> None:
        async with world(tmp_path, WriterSettings(batch=10, flush_s=0.001, drain_s=drain_s)) as it:
            it.ledger.gate = asyncio.Event()
            request(it.spool, *range(9))
        async with world(tmp_path, boot="heir") as heir:
            await heir.ledger.until(9)
            await heir.has_retired.wait()
        assert ["boot"] == heir.retired

    asyncio.run(scenario())


def test_what_waits_for_a_database_that_is_away_is_the_next_routers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as it:
            it.ledger.is_away = True
            it.spool.opened(opened(99))
            request(it.spool, *range(35))
            await it.paused(1)
        async with world(tmp_path, boot="heir") as heir:
            request(heir.spool, *range(100, 140))
            await heir.ledger.until(76)
            await heir.has_retired.wait()
            assert (1, 1, 0) == (heir.adoption.retired, heir.adoption.interrupted, heir.adoption.waiting)
        found = [name for name in heir.written if int(name[4:]) < 100]
        assert [f"gen-{number}" for number in [*range(35), 99]] == found
        assert [f"gen-{number}" for number in range(100, 140)] == [name for name in heir.written if name not in found]
        assert "interrupted" == heir.ledger.rows["gen-99"].status

    asyncio.run(scenario())
    assert [] == list(tmp_path.iterdir())


def test_more_dead_routers_than_are_adopted_at_once_are_adopted_all_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        for boot in range(20):
            with spool(tmp_path, boot=f"dead-{boot}") as dead:
                request(dead, boot)
        async with world(tmp_path, boot="heir") as heir:
            await heir.ledger.until(20)
            while len(heir.retired) < 20:
                heir.has_retired.clear()
                await heir.has_retired.wait()
        assert sorted(f"dead-{boot}" for boot in range(20)) == sorted(heir.retired)

    asyncio.run(scenario())


def test_an_heir_that_is_stopped_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    async def scenario() -> None:
        with spool(tmp_path, boot="dead") as dead:
            request(dead, *range(40))
        async with world(tmp_path, boot="heir") as heir:
            await heir.ledger.until(5)
            heir.ledger.is_away = True
        assert [] == heir.retired
        async with world(tmp_path, boot="next") as last:
            await last.has_retired.wait()
        assert 40 == len(last.ledger.rows)

    asyncio.run(scenario())


def test_a_spool_that_cannot_be_read_stays_and_holds_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        (tmp_path / "dead" / "1").mkdir(parents=True)
        with spool(tmp_path, boot="other") as dead:
            request(dead, 1)
        async with world(tmp_path, boot="heir") as heir:
            await heir.has_retired.wait()
        assert ["other"] == heir.retired
        assert (tmp_path / "dead" / "1").exists()

    asyncio.run(scenario())
    assert "cannot be read, and stays" in caplog.text


def test_rows_dropped_from_a_full_spool_are_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, when_full=WhenFull.DROP_OLDEST, max_bytes=4 * 4_096) as it:
            it.ledger.is_away = True
            request(it.spool, *range(200))
            assert it.spool.dropped == len(it.dropped) > 0
            it.ledger.is_away = False
            await it.ledger.until(200 - len(it.dropped))
        assert [f"gen-{number}" for number in range(200)] == it.dropped + it.written

    asyncio.run(scenario())


def test_a_listener_that_fails_does_not_end_the_writing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with spool(tmp_path) as made:
            it = World(tmp_path, made, QUICK)
            it.writer = LedgerWriter(
                made, it.adoption, it.ledger, it.damaged, QUICK, adopt_s=60.0, wall_clock=lambda: 0.0, rng=Random(1),
                on_written=_fail, on_dropped=_fail,
            )  # fmt: skip
            running = asyncio.create_task(it.writer.run())
            for number in range(3):
                request(made, number)
                await it.ledger.until(number + 1)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
    assert "a listener failed" in caplog.text


def _fail(rows: Sequence[Entry]) -> None:
    raise RuntimeError("a mistake")


@pytest.mark.parametrize(
    ("field", "value"),
    [("batch", 1), ("flush_s", 0), ("backoff_s", 0), ("backoff_max_s", 0), ("backoff_max_s", 0.05), ("drain_s", -1)],
)
def test_settings_out_of_range_are_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field} must"):
        WriterSettings(**{field: value})  # type: ignore[arg-type]
