"""One file: what a server sends and a disk takes, without either."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.chart.fetch import Broken, Open, fetch, part_of
from deploy.chart.hub import File
from deploy.problem import Problem

CONTENT = b"weights" * 100
FILE = File("a/b.safetensors", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), None)


class Sent:
    """An answer that was written before."""

    def __init__(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers: Mapping[str, str] = dict(headers or {})
        self._left = body
        self.is_closed = False

    def read(self, amount: int, /) -> bytes:
        given, self._left = self._left[:amount], self._left[amount:]
        return given

    def close(self) -> None:
        self.is_closed = True


def opening(answer: Sent) -> Open:
    return lambda url, headers: answer


def test_a_file_in_a_folder_appears_whole(tmp_path: Path) -> None:
    answer = Sent(CONTENT)

    fetch(FILE, "http://hub", tmp_path, opening(answer), lambda _: None)

    assert CONTENT == (tmp_path / FILE.name).read_bytes()
    assert answer.is_closed


def test_what_is_whole_already_is_only_put_in_place(tmp_path: Path) -> None:
    part = part_of(FILE, tmp_path)
    part.parent.mkdir()
    part.write_bytes(CONTENT)

    fetch(FILE, "http://hub", tmp_path, opening(Sent(b"")), lambda _: None)

    assert CONTENT == (tmp_path / FILE.name).read_bytes()


def test_an_answer_from_elsewhere_in_the_file_is_not_put_together(tmp_path: Path) -> None:
    part = part_of(FILE, tmp_path)
    part.parent.mkdir()
    part.write_bytes(CONTENT[:10])

    with pytest.raises(Broken, match="asked from byte 10, got 'bytes 0-699/700'"):
        fetch(FILE, "http://hub", tmp_path, opening(Sent(CONTENT, 206, {"Content-Range": "bytes 0-699/700"})), print)

    assert CONTENT[:10] == part.read_bytes()


@pytest.mark.parametrize("before", [b"", CONTENT + b"more"], ids=["comes", "is there"])
def test_more_than_the_file_has_is_never_kept(tmp_path: Path, before: bytes) -> None:
    part = part_of(FILE, tmp_path)
    part.parent.mkdir()
    if before:
        part.write_bytes(before)

    with pytest.raises(Broken, match="more came than the 700 bytes"):
        fetch(FILE, "http://hub", tmp_path, opening(Sent(CONTENT + b"more")), lambda _: None)

    assert not part.exists()
    assert not (tmp_path / FILE.name).exists()


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    part = part_of(FILE, tmp_path)
    part.parent.mkdir()
    part.symlink_to(full)

    with pytest.raises(Problem, match=r"a/b.safetensors: no room left in .*; raise weights.size"):
        fetch(FILE, "http://hub", tmp_path, opening(Sent(CONTENT)), lambda _: None)


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where a folder must be")

    with pytest.raises(Problem, match="cannot be written"):
        fetch(FILE, "http://hub", tmp_path, opening(Sent(CONTENT)), lambda _: None)
