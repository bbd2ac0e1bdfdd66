"""Engines wait for weights, and say what for."""

from pathlib import Path

import pytest

from deploy.chart import mark
from deploy.chart.await_weights import Clock, main, missing, wait
from deploy.chart.mark import Mark


def marked(folder: Path, revision: str = "main") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a.safetensors").write_bytes(b"abc")
    mark.write(folder, Mark("acme/model", revision, "c" * 40, (), {"a.safetensors": 3}))
    return folder


class Time:
    """That passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> Clock:
        return Clock(lambda: self.now_s, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_a_marked_folder_is_whole(tmp_path: Path) -> None:
    assert missing(marked(tmp_path / "m"), "acme/model", "main") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / mark.NAME).unlink(),
        lambda folder: (folder / mark.NAME).write_text("{"),
        lambda folder: (folder / mark.NAME).write_text("{}"),
        lambda folder: (folder / "a.safetensors").unlink(),
        lambda folder: (folder / "a.safetensors").write_bytes(b"ab"),
    ],
    ids=["no mark", "broken mark", "empty mark", "file gone", "file short"],
)
def test_a_folder_that_is_not_whole_is_waited_for(tmp_path: Path, change: object) -> None:
    folder = marked(tmp_path / "m")
    assert callable(change)
    change(folder)

    assert "the download job has not finished" in str(missing(folder, "acme/model", "main"))


def test_another_revision_is_waited_for(tmp_path: Path) -> None:
    found = missing(marked(tmp_path / "m", "v1"), "acme/model", "v2")

    assert "holds acme/model at v1, and acme/model at v2 is wanted" in str(found)


def test_a_folder_that_somebody_filled_must_hold_weights(tmp_path: Path) -> None:
    (tmp_path / "mistral").mkdir()

    assert "on the claim are: mistral" in str(missing(tmp_path / "misral", None, None))
    (tmp_path / "mistral" / "consolidated.safetensors").touch()
    assert missing(tmp_path / "mistral", None, None) is None
    assert "on the claim are: " in str(missing(tmp_path / "no" / "claim", None, None))


def test_waiting_says_what_for_and_ends() -> None:
    told: list[str] = []

    assert not wait(lambda: "something", 100.0, Time().clock(), told.append)
    assert ["waiting: something"] * 4 + ["given up after 100 s: something"] == told


def test_waiting_ends_when_nothing_is_missing() -> None:
    answers = iter(["something", None])

    assert wait(lambda: next(answers), 100.0, Time().clock(), lambda _: None)


def test_the_command_says_by_its_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(marked(tmp_path / "m"))

    assert 0 == main(["--folder", folder, "--repository", "acme/model", "--seconds", "60"])
    assert 1 == main(["--folder", folder, "--repository", "acme/other", "--seconds", "6"], Time().clock())
    assert "given up after 6 s" in capsys.readouterr().out
