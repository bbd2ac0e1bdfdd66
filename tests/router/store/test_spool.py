import asyncio
import logging
from pathlib import Path

import pytest

from router.protocol.entry import Entry, Opened
from router.store.spool_settings import SpoolSettings, WhenFull
from tests.router.store.spool_support import (
    BOOT,
    SMALL,
    adopted,
    drain,
    entry,
    ids,
    opened,
    records,
    request,
    spool,
)


def files(directory: Path, boot: str = BOOT) -> list[str]:
    return sorted(path.name for path in (directory / boot).iterdir() if path.name != "lock")


def test_rows_come_back_in_the_order_in_which_they_were_closed(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        for number in range(100):
            made.opened(opened(number))
        for number in reversed(range(100)):
            made.closed(entry(number))
        assert [entry(number) for number in reversed(range(100))] == drain(made)


def test_each_row_is_given_once_and_those_that_come_meanwhile_follow(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        request(made, 1, 2, 3)
        assert ["gen-1", "gen-2"] == ids(made.take(2))
        request(made, 4)
        assert ["gen-3", "gen-4"] == ids(made.take(9))
        assert [] == made.take(9)
        assert (4, 0) == (made.pending, made.untaken)
        made.done(3)
        assert 1 == made.pending
        made.done(1)


def test_a_segment_goes_when_all_its_rows_are_written(tmp_path: Path) -> None:
    with spool(tmp_path, fsync_s=None) as made:
        request(made, *range(100))
        assert len(files(tmp_path)) > 3
        taken = made.take(100)
        made.done(99)
        assert len(taken) == 100
        assert 1 == len(files(tmp_path))
        assert made.size < SMALL
        made.done(1)


def test_an_empty_spool_leaves_nothing_behind(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        request(made, *range(50))
        drain(made)
    assert [] == list(tmp_path.iterdir())


def test_what_is_not_written_waits_for_the_next_router(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        request(made, *range(50))
        made.take(30)
        made.done(20)
    assert [entry(number) for number in range(50)][-30:] == adopted(tmp_path)[-30:]
    assert [] == list(tmp_path.iterdir())


def test_a_request_under_way_holds_no_segment_back_and_is_not_forgotten(tmp_path: Path) -> None:
    with spool(tmp_path, fsync_s=None) as made:
        made.opened(opened(1_000))
        for first in range(0, 300, 50):
            request(made, *range(first, first + 50))
            drain(made)
            assert len(files(tmp_path)) <= 2
            held = [record for name in files(tmp_path) for record in records(tmp_path / BOOT / name)]
            assert opened(1_000) in held
        assert 1 == made.under_way
    assert ["gen-1000"] == ids([row for row in adopted(tmp_path) if row.status == "interrupted"])


def test_a_request_that_ended_after_it_was_carried_is_one_row(tmp_path: Path) -> None:
    with spool(tmp_path, fsync_s=None) as made:
        made.opened(opened(1_000))
        request(made, *range(100))
        drain(made)
        made.closed(entry(1_000))
        assert 0 == made.under_way
    assert "ok" == {row.id: row for row in adopted(tmp_path)}["gen-1000"].status


def test_a_segment_whose_beginnings_were_carried_stays_until_the_copy_is_on_the_disk(tmp_path: Path) -> None:
    with spool(tmp_path, fsync_s=1.0) as made:
        made.opened(opened(1_000))
        request(made, *range(100))
        drain(made)
        assert "000000000001" in files(tmp_path)
        asyncio.run(made.write_through())
        assert 1 == len(files(tmp_path))


def test_writing_through_goes_on_until_it_is_cancelled(tmp_path: Path) -> None:
    async def scenario() -> None:
        rounds, is_over = iter(range(3)), asyncio.Event()

        async def sleep(seconds: float) -> None:
            if (number := next(rounds, None)) is None:
                is_over.set()
                await asyncio.Event().wait()
            else:
                request(made, number)

        writing = asyncio.create_task(made.keep_written_through(sleep))
        await is_over.wait()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    with spool(tmp_path) as made:
        asyncio.run(scenario())
        assert 0 == made.failures
    for never in (0.0, None):
        with spool(tmp_path, boot=f"{never}"[:1], fsync_s=never) as made:
            asyncio.run(made.keep_written_through())  # has nothing to do
            request(made, 1)
            drain(made)


def test_every_folder_and_file_is_its_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "spool"
    with spool(directory) as made:
        request(made, 1)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (directory, *directory.rglob("*"))}
        assert {"spool": 0o700, BOOT: 0o700, "lock": 0o600, "000000000001": 0o600} == modes


def test_there_is_room_while_there_is_room_for_the_ends_of_all_that_began(tmp_path: Path) -> None:
    with spool(tmp_path, segment_bytes=8_192, max_bytes=32_768) as made:
        count = 0
        while made.has_room:
            made.opened(opened(count))
            count += 1
        assert 5 < count < 20
        request(made, 1_000)
        for number in range(count):
            made.closed(entry(number, key="k" * 1_000))
        assert made.size <= 32_768
        assert 0 == made.dropped
        rows = drain(made)
        assert count + 1 == len(rows)
        asyncio.run(made.write_through())
        assert made.has_room


def test_ends_are_taken_however_full_it_is(tmp_path: Path) -> None:
    with spool(tmp_path, max_bytes=4 * SMALL) as made:
        for number in range(500):
            made.opened(opened(number))
        assert not made.has_room
        for number in range(500):
            made.closed(entry(number))
        assert [f"gen-{number}" for number in range(500)] == ids(drain(made))


def test_the_oldest_rows_are_dropped_where_that_is_wanted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lost: list[str] = []
    with spool(tmp_path, max_bytes=4 * SMALL, when_full=WhenFull.DROP_OLDEST) as made:
        made.on_dropped = lambda rows: lost.extend(ids(rows))
        request(made, *range(200))
        assert made.has_room
        assert made.size <= 4 * SMALL
        kept = ids(drain(made))
        assert [f"gen-{number}" for number in range(200)] == lost + kept
        assert len(lost) == made.dropped > 0
        assert 0 == made.pending == made.untaken
    assert "LOST" in caplog.text


def test_rows_that_are_being_written_are_not_dropped(tmp_path: Path) -> None:
    lost: list[str] = []
    with spool(tmp_path, max_bytes=4 * SMALL, when_full=WhenFull.DROP_OLDEST) as made:
        made.on_dropped = lambda rows: lost.extend(ids(rows))
        request(made, *range(20))
        taken = ids(made.take(10))
        request(made, *range(20, 200))
        made.done(10)
        assert [f"gen-{number}" for number in range(200)] == taken + lost + ids(drain(made))


def test_requests_under_way_are_not_dropped(tmp_path: Path) -> None:
    with spool(tmp_path, max_bytes=4 * SMALL, when_full=WhenFull.DROP_OLDEST) as made:
        for number in range(1_000, 1_200):  # more than the bound has room for
            made.opened(opened(number))
        request(made, *range(200))
    interrupted = [row for row in adopted(tmp_path) if row.status == "interrupted"]
    assert {f"gen-{number}" for number in range(1_000, 1_200)} == set(ids(interrupted))


def test_a_row_that_is_damaged_on_the_disk_is_set_aside_and_the_next_ones_are_read(tmp_path: Path) -> None:
    with spool(tmp_path, fsync_s=None) as made:
        request(made, 1, 2, 3)
        path = tmp_path / BOOT / "000000000001"
        data = bytearray(path.read_bytes())
        data[data.index(b'"e"', data.index(b'"e"') + 1) + 20] ^= 1
        path.write_bytes(data)
        assert ["gen-1", "gen-3"] == ids(drain(made))
        request(made, *range(10, 60))
        drain(made)
        assert 1 == len(files(tmp_path))  # the damaged row holds nothing back
        assert 0 == made.pending
    assert 1 == len((tmp_path / f"damaged-{BOOT}.log").read_bytes().splitlines())


def test_a_line_break_that_is_gone_costs_no_more_than_its_line(tmp_path: Path) -> None:
    with spool(tmp_path, fsync_s=None) as made:
        request(made, *range(60))
        path = tmp_path / BOOT / "000000000001"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        last = [record for record in records(path) if isinstance(record, Entry)][-1]
        rows = ids(drain(made))
        lost = {f"gen-{number}" for number in range(60)} - set(rows)
        assert len(lost) <= 1
        assert last.id not in lost  # the last line of the first segment was a beginning, or was lost
        assert 0 == made.pending
    assert (tmp_path / f"damaged-{BOOT}.log").exists()


@pytest.mark.parametrize("boot", ["", "a/b", "..", ".new-x", "-x", "a" * 65])
def test_a_boot_id_that_is_no_name_is_refused(tmp_path: Path, boot: str) -> None:
    with pytest.raises(ValueError, match="boot id"), spool(tmp_path, boot=boot):
        pass
    assert [] == list(tmp_path.iterdir())


def test_two_routers_cannot_have_the_same_folder(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        made.opened(opened(1))
        with pytest.raises(OSError, match=r"not empty|exists"), spool(tmp_path):
            pass
        assert [BOOT] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("directory", ""),
        ("segment_bytes", 4_095),
        ("max_bytes", 4 * 8_388_608 - 1),
        ("max_bytes", 256 * 8_388_608 + 1),
        ("fsync_s", -0.1),
        ("fsync_s", float("nan")),
        ("adopt_s", 0.0),
    ],
)
def test_settings_out_of_range_are_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field} must"):
        SpoolSettings(**{field: value})  # type: ignore[arg-type]


def test_its_repr_tells_how_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with spool(tmp_path) as made:
        made.opened(Opened(id="gen-secret", created=0, router=BOOT, key="canary", workspace="w", kind="chat"))
        assert "Spool(boot, size=" in repr(made)
        assert "pending=0, under_way=1" in repr(made)
    assert "canary" not in caplog.text
