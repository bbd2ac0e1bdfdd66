import asyncio
from pathlib import Path

import pytest

from router.store.spool_adoption import Adoption
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import claim_abandoned
from tests.router.store.spool_support import adopted, ids, request, spool


def adoption(directory: Path, retired: list[str]) -> Adoption:
    return Adoption(directory, DamagedLog(directory, "heir"), on_retired=retired.append)


def test_a_look_that_is_cancelled_gives_back_what_it_found(tmp_path: Path) -> None:
    async def main() -> None:
        it = adoption(tmp_path, [])
        looking = asyncio.create_task(it.look())
        await asyncio.sleep(0)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        assert looking.cancelled()
        assert 0 == it.waiting

    with spool(tmp_path) as dead:
        request(dead, 1)
    asyncio.run(main())
    assert ["gen-1"] == ids(adopted(tmp_path))


def test_a_spool_that_is_gone_is_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    it = adoption(tmp_path / "gone", [])
    asyncio.run(it.look())
    assert "cannot be looked through" in caplog.text
    assert 0 == it.waiting


def test_what_is_written_and_cannot_be_deleted_is_retired_nevertheless(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        await it.look()
        assert ["gen-1"] == ids(await it.take(9))
        await asyncio.to_thread((tmp_path / "boot" / "a folder").mkdir)
        await it.done()
        assert [] == await it.take(9)

    retired: list[str] = []
    it = adoption(tmp_path, retired)
    with spool(tmp_path) as dead:
        request(dead, 1)
    asyncio.run(main())
    assert ["boot"] == retired
    assert "cannot be deleted" in caplog.text


def test_a_folder_without_anything_is_retired_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        await it.look()
        assert [] == await it.take(9)

    retired: list[str] = []
    it = adoption(tmp_path, retired)
    (tmp_path / "empty").mkdir()
    asyncio.run(main())
    assert (["empty"], 1, 0) == (retired, it.retired, it.interrupted)
    assert [] == list(tmp_path.iterdir())


def test_the_end_leaves_what_is_not_done_to_others(tmp_path: Path) -> None:
    async def main() -> None:
        await it.look()
        await it.take(1)
        it.close()

    it = adoption(tmp_path, [])
    with spool(tmp_path) as dead:
        request(dead, 1, 2)
    asyncio.run(main())
    (home,) = claim_abandoned(tmp_path, 9)
    home.close()
    assert ["gen-1", "gen-2"] == ids(adopted(tmp_path))
