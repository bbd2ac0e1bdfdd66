"""A disk that is full, or fails: nothing raises, nothing is lost while the process lives, and it is said aloud once."""

import asyncio
import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.store.spool_segment import Disk
from router.store.spool_settings import WhenFull
from tests.router.store.spool_support import BOOT, SMALL, SmallDisk, adopted, drain, entry, ids, opened, request, spool


def test_what_a_full_disk_refuses_is_kept_and_written_when_it_takes_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SmallDisk(room=1_000)  # in the middle of a line
    with spool(tmp_path, disk=disk.calls) as made:
        request(made, *range(60))
        assert not made.has_room
        assert made.in_memory > 0
        assert made.failures > 100
        assert 1 == caplog.text.count("cannot be written")
        disk.room = None
        made.tend()
        assert made.has_room
        assert 0 == made.in_memory
        assert 1 == caplog.text.count("can be written again")
    assert [f"gen-{number}" for number in range(60)] == ids(adopted(tmp_path))
    assert not (tmp_path / "damaged-heir.log").exists()


def test_rows_that_never_reached_the_disk_reach_the_database(tmp_path: Path) -> None:
    disk = SmallDisk(room=1_000)
    with spool(tmp_path, disk=disk.calls, fsync_s=None) as made:
        request(made, *range(60))
        assert [f"gen-{number}" for number in range(60)] == ids(drain(made))
        made.tend()
        assert not made.has_room
    assert [] == list(tmp_path.iterdir())


def test_a_disk_that_takes_nothing_from_the_start_is_survived(tmp_path: Path) -> None:
    disk = SmallDisk(room=0)
    with spool(tmp_path, disk=disk.calls) as made:
        assert made.has_room
        request(made, 1)
        assert not made.has_room
        disk.room = None
        made.tend()
        assert made.has_room
        assert ["gen-1"] == ids(drain(made))


def test_a_request_that_is_under_way_while_the_disk_is_full_is_not_carried_off(tmp_path: Path) -> None:
    disk = SmallDisk()
    with spool(tmp_path, disk=disk.calls, fsync_s=None) as made:
        made.opened(opened(1_000))
        request(made, *range(30))
        disk.room = 0
        request(made, *range(30, 60))
        drain(made)
        made.tend()
        assert (tmp_path / BOOT / "000000000001").exists()  # its beginning is nowhere else
        disk.room = None
        made.tend()
        assert not (tmp_path / BOOT / "000000000001").exists()
    assert ["gen-1000"] == ids([row for row in adopted(tmp_path) if row.status == "interrupted"])


def test_a_disk_that_fills_up_while_beginnings_are_carried_keeps_the_old_segment(tmp_path: Path) -> None:
    disk = SmallDisk()
    with spool(tmp_path, disk=disk.calls, fsync_s=None) as made:
        made.opened(opened(1_000))
        request(made, *range(60))
        taken = made.take(60)
        disk.room = 10
        made.done(len(taken))
        assert (tmp_path / BOOT / "000000000001").exists()
        disk.room = None
        made.tend()
        assert not (tmp_path / BOOT / "000000000001").exists()
    assert ["gen-1000"] == ids([row for row in adopted(tmp_path) if row.status == "interrupted"])


def test_where_rows_may_be_dropped_a_full_disk_costs_the_oldest(tmp_path: Path) -> None:
    disk = SmallDisk(room=3 * SMALL)
    lost: list[str] = []
    with spool(tmp_path, disk=disk.calls, when_full=WhenFull.DROP_OLDEST) as made:
        made.on_dropped = lambda rows: lost.extend(ids(rows))
        request(made, *range(200))
        assert made.has_room
        assert made.in_memory <= 2 * SMALL
        assert [f"gen-{number}" for number in range(200)] == lost + ids(drain(made))
        assert lost


def test_where_rows_may_be_dropped_a_broken_disk_costs_none_before_the_bound(tmp_path: Path) -> None:
    disk = SmallDisk(room=3 * SMALL)
    disk.error = errno.EROFS
    with spool(tmp_path, disk=disk.calls, when_full=WhenFull.DROP_OLDEST) as made:
        request(made, *range(200))
        assert made.has_room
        assert 0 == made.dropped
        assert 200 == len(drain(made))


def test_a_disk_that_writes_nothing_without_a_word_counts_as_one_that_fails(tmp_path: Path) -> None:
    with spool(tmp_path, disk=Disk(write=lambda descriptor, data, offset: 0)) as made:
        request(made, 1)
        assert not made.has_room
        drain(made)


@pytest.mark.parametrize("fsync_s", [0.0, 1.0])
def test_a_disk_that_cannot_be_written_through_to_counts_as_full(
    tmp_path: Path, fsync_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    """The folder is gone: the last step of writing through, its names, fails."""
    with spool(tmp_path, fsync_s=fsync_s) as made:
        request(made, 1)
        hidden = tmp_path / "hidden"
        (tmp_path / BOOT).rename(hidden)
        request(made, 2)
        asyncio.run(made.write_through())
        assert not made.has_room
        assert "cannot be written through" in caplog.text
        hidden.rename(tmp_path / BOOT)
        made.tend()
        asyncio.run(made.write_through())
        assert made.has_room
        assert ["gen-1", "gen-2"] == ids(drain(made))


@pytest.fixture
def small_files() -> Iterator[int]:
    """The system cuts writes at so many bytes of a file, and refuses those behind."""
    limit, (soft, hard) = SMALL // 2, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_the_system_itself_cuts_short_is_gone_on_with(tmp_path: Path, small_files: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with spool(tmp_path) as made:
        request(made, *range(12))
        assert small_files == (tmp_path / BOOT / "000000000001").stat().st_size
        assert not made.has_room
        assert [entry(number) for number in range(12)] == made.take(99)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        made.tend()
        assert made.has_room
    assert [entry(number) for number in range(12)] == adopted(tmp_path)


def test_a_process_that_dies_with_the_disk_full_leaves_what_the_disk_took(tmp_path: Path) -> None:
    disk = SmallDisk(room=2_500)
    child = os.fork()
    if not child:
        with spool(tmp_path, disk=disk.calls) as made:
            request(made, *range(60))
            os._exit(0)
    os.waitpid(child, 0)
    rows = adopted(tmp_path)
    assert [f"gen-{number}" for number in range(len(rows))] == ids(rows)
    assert 3 < len(rows) < 12


def test_a_disk_that_cannot_be_read_holds_rows_back_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SmallDisk()
    with spool(tmp_path, disk=disk.calls, fsync_s=None) as made:
        made.opened(opened(1_000))
        request(made, *range(60))
        disk.is_readable = False
        assert [] == made.take(9) == made.take(9)
        assert 1 == caplog.text.count("cannot be read")
        disk.is_readable = True
        taken = made.take(99)
        assert 60 == len(taken)
        disk.is_readable = False
        made.done(60)  # the beginning in the first segment cannot be carried
        assert (tmp_path / BOOT / "000000000001").exists()
        disk.is_readable = True
        made.tend()
        assert not (tmp_path / BOOT / "000000000001").exists()
    assert ["gen-1000"] == ids([row for row in adopted(tmp_path) if row.status == "interrupted"])


def test_rows_that_are_dropped_and_cannot_be_read_are_counted(tmp_path: Path) -> None:
    disk = SmallDisk()
    with spool(tmp_path, disk=disk.calls, max_bytes=4 * SMALL, when_full=WhenFull.DROP_OLDEST) as made:
        disk.is_readable = False
        request(made, *range(200))
        disk.is_readable = True
        assert 200 == made.dropped + len(drain(made))
        assert made.dropped


def test_what_the_disk_never_took_is_said_to_be_lost_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SmallDisk(room=1_000)
    with spool(tmp_path, disk=disk.calls) as made:
        request(made, *range(60))
        lost = made.in_memory
    assert f"{lost} bytes that the spool's disk did not take are LOST" in caplog.text
    assert ["gen-0"] == ids(adopted(tmp_path))[:1]


def test_a_folder_that_cannot_be_deleted_stays_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with spool(tmp_path) as made:
        request(made, 1)
        drain(made)
        (tmp_path / BOOT / "a folder").mkdir()
    assert "stays" in caplog.text
    assert (tmp_path / BOOT / "a folder").exists()
