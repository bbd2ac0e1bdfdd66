"""Documents read by processes: good ones, broken ones, and those that were made to do harm."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from router.plugins.file_settings import FileSettings
from router.plugins.pdf_process import Unreadable, read_pdf
from router.plugins.pdf_worker import Found
from router.protocol.images import size_of
from tests.router.plugins import documents
from tests.router.plugins.documents import DRAWING, page, pdf

ROOT = Path(__file__).parents[3]
SETTINGS = FileSettings()
TIGHT = FileSettings(wall_s=6.0, cpu_s=3, memory_bytes=536_870_912)


def readers() -> list[psutil.Process]:
    """Processes of ours that read documents; others' may be there as well."""
    children = psutil.Process().children()
    ended = psutil.STATUS_ZOMBIE
    return [each for each in children if each.status() == ended or "pdf_worker" in " ".join(each.cmdline())]


def read(document: bytes, settings: FileSettings = SETTINGS, text_chars: int = 1_000_000) -> Found:
    found = asyncio.run(read_pdf(document, settings, text_chars))
    assert [] == readers()
    return found


def refused(document: bytes, settings: FileSettings = TIGHT, text_chars: int = 1_000_000) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(document, settings, text_chars)
    assert [] == readers()
    return caught.value


def test_each_page_has_its_text_or_its_picture() -> None:
    found = read(pdf(page("Hello"), DRAWING, page("world")))
    assert (3, [1, 2, 3], ["Hello", "", "world"]) == (
        found.count,
        [each.number for each in found.pages],
        [each.text for each in found.pages],
    )
    assert [False, True, False] == [bool(each.jpeg) for each in found.pages]
    assert (1_089, 1_540, "jpeg") == size_of(found.pages[1].jpeg)


def test_pictures_are_bounded_in_number_and_size() -> None:
    found = read(pdf(*[DRAWING] * 4), FileSettings(page_images=2, image_side=280))
    assert [True, True, False, False] == [bool(each.jpeg) for each in found.pages]
    assert 280 == max(size_of(found.pages[0].jpeg)[:2])


@pytest.mark.parametrize(
    "box", ["0 0 14400 14400", "0 0 1 14000", "0 0 14000 0.001", "5 5 5 5", "0 0 -9 -9", "0 0 9e9 9e9"]
)
def test_pages_of_any_size_are_survived(box: str) -> None:
    (only,) = read(pdf(DRAWING, box=box)).pages
    assert not only.jpeg or max(size_of(only.jpeg)[:2]) <= 1_540


def test_a_small_page_is_not_blown_up() -> None:
    assert 200 == max(size_of(read(pdf(DRAWING, box="0 0 72 72")).pages[0].jpeg)[:2])


@pytest.mark.parametrize(
    "document", [b"", b"%PDF-1.7", b"\0" * 100_000, b"%PDF-1.7\n" + b"[" * 1_000_000, pdf(page("a"))[:60], pdf()]
)
def test_what_is_no_document_is_said_to_be_none(document: bytes) -> None:
    assert "the document is no PDF, or broken" == refused(document).problem


def test_a_document_that_was_cut_short_is_mended_or_refused() -> None:
    whole, problems = pdf(*[page(f"page {n}") for n in range(3)]), set()
    for length in range(100, len(whole), 97):
        try:
            assert read(whole[:length]).count <= 3
        except Unreadable as error:
            problems.add(error.problem)
    assert problems <= {"the document is no PDF, or broken"}


def test_an_encrypted_document_is_refused_as_such() -> None:
    assert "the document is encrypted with a password" == refused(documents.encrypted()).problem


def test_long_documents_are_refused_with_the_bound() -> None:
    error = refused(pdf(*[page("a")] * 4), FileSettings(pages=3))
    assert ("at most 3 pages, this has 4", "pages") == (error.problem, error.limit)
    error = refused(pdf(*[page("a" * 60)] * 4), text_chars=200)
    assert ("at most 200 characters of text, this has more", "file_text_chars") == (error.problem, error.limit)


@pytest.mark.parametrize(
    "hostile",
    [
        documents.endless,
        documents.drawing_itself,
        documents.huge_image,
        documents.slow,
        lambda: pdf(documents.deflated(1_073_741_824), stream="/Filter /FlateDecode"),
        lambda: pdf(*[DRAWING] * 8, box="0 0 14400 14400"),
        lambda: pdf(b"q " * 2_000_000),
    ],
)
def test_hostile_documents_end_in_time_with_pages_or_an_error(hostile: Callable[[], bytes]) -> None:
    document = hostile()
    started = time.monotonic()
    try:
        assert read(document, TIGHT).count >= 0
    except Unreadable:
        assert [] == readers()
    assert time.monotonic() - started < 2 * TIGHT.wall_s


def test_a_process_that_takes_too_long_is_killed() -> None:
    error = refused(pdf(page("a")), FileSettings(wall_s=0.001))
    assert ("the document could not be read within 0.001 s", "wall_s") == (error.problem, error.limit)


def test_a_process_without_enough_memory_reads_nothing_and_harms_nobody() -> None:
    bomb = pdf(documents.deflated(1_073_741_824), stream="/Filter /FlateDecode")
    error = refused(bomb, FileSettings(memory_bytes=268_435_456, wall_s=6.0))
    assert "could not be read" in error.problem


def test_a_process_that_writes_too_much_is_killed() -> None:
    long = pdf(*[documents.dense(600)] * 4)
    error = refused(long, FileSettings(output_bytes=1_048_576), text_chars=10_000_000)
    assert ("its texts and pictures have more than 1048576 bytes", "output_bytes") == (error.problem, error.limit)


def test_nothing_is_left_when_who_waits_is_cancelled() -> None:
    async def main() -> None:
        document = pdf(*[page("a")] * 50)
        for moment in range(12):
            task = asyncio.ensure_future(read_pdf(document, SETTINGS, 1_000_000))
            await asyncio.wait({task}, timeout=moment * 0.02)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert [] == readers()

    asyncio.run(main())


def test_the_process_dies_with_the_router(tmp_path: Path) -> None:
    """A router that is killed outright has no time to kill anybody."""
    file = tmp_path / "slow.pdf"
    file.write_bytes(documents.slow())
    code = (
        "import asyncio, sys\n"
        "from router.plugins.file_settings import FileSettings\n"
        "from router.plugins.pdf_process import read_pdf\n"
        "data = open(sys.argv[1], 'rb').read()\n"
        "asyncio.run(read_pdf(data, FileSettings(wall_s=100.0, cpu_s=60), 1_000_000))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(file)], cwd=ROOT) as router:
        children: list[psutil.Process] = []
        while not (children and children[0].cpu_times().user > 0.3):  # it has begun to read
            assert router.poll() is None
            children = psutil.Process(router.pid).children()
        os.kill(router.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert (children, []) == (gone, alive)


@pytest.mark.parametrize(
    ("name", "value"),
    [("pages", 0), ("page_images", -1), ("image_side", 1), ("processes", 0), ("cpu_s", 0), ("cache_bytes", -1),
     ("memory_bytes", 1_000), ("output_bytes", 1_000), ("wait_s", 0.0), ("wall_s", -1.0)],
)  # fmt: skip
def test_settings_are_checked(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        FileSettings(**{name: value})  # type: ignore[arg-type]
