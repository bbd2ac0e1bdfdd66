"""Whose a folder is, and who may have it when its router is gone."""

import multiprocessing
import os
from pathlib import Path

import pytest

from router.protocol.spool_line import encode
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import claim_abandoned, make_home
from tests.router.store.spool_support import adopted, entry, ids, opened, request, spool


def test_a_live_routers_folder_cannot_be_had(tmp_path: Path) -> None:
    with spool(tmp_path, boot="alive") as made:
        request(made, 1)
        assert [] == claim_abandoned(tmp_path, 9)


def test_a_dead_routers_folder_is_one_heirs_alone(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        request(made, 1)
    (home,) = claim_abandoned(tmp_path, 9)
    assert "boot" == home.boot
    assert "boot" in repr(home)
    assert [] == claim_abandoned(tmp_path, 9)
    home.close()
    home.close()
    assert 1 == len(ids(adopted(tmp_path)))


def test_no_more_are_claimed_than_are_wanted(tmp_path: Path) -> None:
    for boot in ("a", "b", "c"):
        with spool(tmp_path, boot=boot) as made:
            request(made, 1)
    homes = claim_abandoned(tmp_path, 2)
    rest = claim_abandoned(tmp_path, 2)
    assert [2, 1] == [len(homes), len(rest)]
    for home in homes + rest:
        home.close()


def test_a_folder_that_was_deleted_under_the_claim_is_not_taken_for_one(tmp_path: Path) -> None:
    home = make_home(tmp_path, "a")
    lock = os.open(home.path / "lock", os.O_RDWR)  # as one who looked before it was deleted
    home.delete()
    assert [] == claim_abandoned(tmp_path, 9)
    assert not home.path.exists()
    os.close(lock)


def test_a_router_that_died_while_it_was_born_is_swept_up_later(tmp_path: Path) -> None:
    nascent = tmp_path / ".new-x"
    nascent.mkdir()
    (nascent / "lock").touch()
    assert [] == claim_abandoned(tmp_path, 9)
    assert nascent.exists()
    assert [] == claim_abandoned(tmp_path, 9, lambda: nascent.stat().st_mtime + 3_601)
    assert not nascent.exists()


def test_whatever_else_lies_there_is_let_be(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "notes").write_text("mine")
    DamagedLog(tmp_path, "b").add(b"x", "a test")
    assert [] == claim_abandoned(tmp_path, 9)
    assert ["damaged-b.log", "lost+found", "notes"] == sorted(path.name for path in tmp_path.iterdir())


def test_rows_that_were_set_aside_can_be_replayed_by_hand(tmp_path: Path) -> None:
    damaged = DamagedLog(tmp_path, "b")
    damaged.add(encode(entry(1)).rstrip(b"\n"), "a test")
    (tmp_path / "again").mkdir()
    damaged.path.rename(tmp_path / "again" / "1")
    assert [entry(1)] == adopted(tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_a_log_that_cannot_be_written_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    damaged = DamagedLog(tmp_path / "missing", "b")
    damaged.add(b"canary", "a test")
    assert (1, 1) == (damaged.lines, damaged.lost)
    assert "LOST" in caplog.text
    assert "canary" not in caplog.text


def test_rows_follow_in_order_and_requests_without_an_end_come_last(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        made.opened(opened(1_000))
        request(made, *range(60))
    rows = adopted(tmp_path)
    assert [f"gen-{number}" for number in [*range(60), 1_000]] == ids(rows)
    assert opened(1_000).interrupted() == rows[-1]


def test_damage_is_set_aside_and_the_rest_is_read(tmp_path: Path) -> None:
    with spool(tmp_path) as made:
        request(made, 1, 2, 3)
    path = tmp_path / "boot" / "000000000001"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b"\xff" + lines[3][1:]  # the end of the second
    path.write_bytes(b"".join(lines) + b"torn")
    rows = adopted(tmp_path)
    assert ["gen-1", "gen-3", "gen-2"] == ids(rows)
    assert "interrupted" == rows[-1].status
    assert lines[3] == (tmp_path / "damaged-heir.log").read_bytes()


def test_a_spool_cut_anywhere_keeps_every_row_before_the_cut(tmp_path: Path) -> None:
    data = b"".join(encode(record) for number in range(4) for record in (opened(number), entry(number)))
    for cut in range(len(data) + 1):
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "1").write_bytes(data[:cut])
        begun, ended = (data[:cut].count(b"}}\n") + 1) // 2, data[:cut].count(b"}}\n") // 2
        rows = adopted(tmp_path)
        assert [entry(number) for number in range(ended)] == rows[:ended]
        assert [opened(number).interrupted() for number in range(ended, begun)] == rows[ended:]
        assert [] == list(tmp_path.iterdir())


def _heir(
    directory: str, start: "multiprocessing.synchronize.Barrier", found: "multiprocessing.Queue[list[str]]"
) -> None:
    start.wait()
    rows: list[str] = []
    while batch := ids(adopted(Path(directory))):
        rows += batch
    found.put(rows)


def test_of_several_processes_at_once_each_folder_has_one_heir(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for boot in range(40):
        with spool(tmp_path, boot=f"boot-{boot}") as made:
            request(made, *range(10 * boot, 10 * boot + 10))
    start, found = context.Barrier(4), context.Queue()
    heirs = [context.Process(target=_heir, args=(str(tmp_path), start, found)) for _ in range(4)]
    for heir in heirs:
        heir.start()
    rows = [row for _ in heirs for row in found.get(timeout=60)]
    for heir in heirs:
        heir.join()
    found.close()
    found.join_thread()
    assert sorted(f"gen-{number}" for number in range(400)) == sorted(rows)
    assert [] == list(tmp_path.iterdir())
