"""The download job against a hub on this machine, which breaks off, lies, refuses and forgets."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.chart import mark
from deploy.chart.await_weights import missing
from deploy.chart.download import Wanted, download, main
from deploy.chart.fetch import PARTS, Network, part_of
from deploy.chart.hub import read_listing
from deploy.chart.persist import Patience, World
from deploy.problem import Problem
from tests.deploy.chart.fake_hub import COMMIT, REPOSITORY, Hub, running

LARGE = "consolidated.safetensors"
FILES = {
    "params.json": b"{}",
    "tekken.json": b"words" * 100,
    LARGE: bytes(range(256)) * 4096,
    "model-00001-of-00002.safetensors": b"the same again",
    "README.md": b"hello",
}
WANTED = Wanted(REPOSITORY, "main", "model", ())


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running(Hub(dict(FILES))) as found:
        yield found


class Told(list[str]):
    """Lines, and the pauses between."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def world(self, token: str | None = None, tries: int = 4) -> World:
        patience = Patience(tries=tries, timeout_s=30.0)
        return World(Network(token, 30.0), patience, sleep=self.pauses.append, tell=self.append)


def fetched(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name[0] != "."}


def test_one_form_of_the_weights_comes_and_the_folder_is_marked(hub: Hub, tmp_path: Path) -> None:
    download(WANTED, hub.url, tmp_path, Told().world())

    expected = {name: content for name, content in FILES.items() if not name.startswith("model-")}
    assert expected == fetched(tmp_path / "model")
    found = mark.read(tmp_path / "model")
    assert found is not None
    assert (REPOSITORY, "main", COMMIT) == (found.repository, found.revision, found.commit)
    assert not (tmp_path / "model" / PARTS).exists()


def test_what_is_there_is_not_asked_for_again(hub: Hub, tmp_path: Path) -> None:
    download(WANTED, hub.url, tmp_path, Told().world())
    asked = len(hub.asked)
    told = Told()

    download(WANTED, hub.url, tmp_path, told.world())

    assert asked == len(hub.asked)
    assert [f"model: {REPOSITORY} at {COMMIT[:12]} is there"] == told


def test_without_the_mark_only_what_is_missing_comes(hub: Hub, tmp_path: Path) -> None:
    download(WANTED, hub.url, tmp_path, Told().world())
    (tmp_path / "model" / "params.json").write_text("another")
    assert mark.read(tmp_path / "model") is None
    hub.asked.clear()

    download(WANTED, hub.url, tmp_path, Told().world())

    assert ["/api/models/acme/model/revision/main", f"/{REPOSITORY}/resolve/{COMMIT}/params.json"] == [
        path for path, _ in hub.asked
    ]


def test_a_connection_that_breaks_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = [300_000, 200_000]
    told = Told()

    download(WANTED, hub.url, tmp_path, told.world())

    assert FILES[LARGE] == fetched(tmp_path / "model")[LARGE]
    assert ["bytes=300000-", "bytes=500000-"] == [asked for path, asked in hub.asked if asked and "/store/" in path]
    assert any("broken off after 300000 of 1048576 bytes" in line for line in told)


def test_a_hub_without_ranges_begins_again(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after, hub.ranges = [300_000], False

    download(WANTED, hub.url, tmp_path, Told().world())

    assert FILES[LARGE] == fetched(tmp_path / "model")[LARGE]


def test_a_job_that_was_killed_is_gone_on_with_by_the_next(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after, hub.hold_at = [400_000], "bytes=400000-"
    arguments = ["--endpoint", hub.url, "--folder", str(tmp_path), "--model"]
    arguments.append(json.dumps({"repository": REPOSITORY, "folder": "model"}))
    (large,) = (
        file for file in read_listing(json.dumps(hub.listing()).encode(), REPOSITORY).files if file.name == LARGE
    )
    part = part_of(large, tmp_path / "model")
    process = subprocess.Popen([sys.executable, "-m", "deploy.chart.download", *arguments], stdout=subprocess.DEVNULL)
    try:
        assert hub.held.wait(60)
    finally:
        process.kill()
        process.wait()
        hub.let_go.set()
    assert 400_000 == part.stat().st_size
    assert LARGE not in fetched(tmp_path / "model")
    assert missing(tmp_path / "model", REPOSITORY, "main") is not None
    hub.cut_after.clear()
    hub.asked.clear()

    assert 0 == main(arguments)

    assert FILES[LARGE] == fetched(tmp_path / "model")[LARGE]
    assert ("/store/" + LARGE, "bytes=400000-") in hub.asked
    assert missing(tmp_path / "model", REPOSITORY, "main") is None


def test_content_with_another_sum_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    hub.corrupt = 1
    told = Told()

    download(WANTED, hub.url, tmp_path, told.world())

    assert FILES[LARGE] == fetched(tmp_path / "model")[LARGE]
    assert any("another sum than the hub says" in line for line in told)


def test_content_that_stays_wrong_is_given_up_and_never_shown(hub: Hub, tmp_path: Path) -> None:
    hub.corrupt = 99

    with pytest.raises(Problem, match=r"another sum than the hub says; from the beginning; given up after 4 tries"):
        download(WANTED, hub.url, tmp_path, Told().world())

    assert LARGE not in fetched(tmp_path / "model")
    assert mark.read(tmp_path / "model") is None


def test_the_token_opens_the_hub_and_is_shown_to_nobody_else(hub: Hub, tmp_path: Path) -> None:
    hub.token = "hf_secret"
    told = Told()

    download(WANTED, hub.url, tmp_path, told.world("hf_secret"))

    assert {"Bearer hf_secret"} == hub.tokens[hub.url.removeprefix("http://")]
    assert {None} == hub.tokens[hub.elsewhere.removeprefix("http://")]
    assert "hf_secret" not in "\n".join(told)


@pytest.mark.parametrize(
    ("token", "advice"), [(None, "name a secret with the key `token`"), ("hf_old", "accept the model's licence")]
)
def test_a_closed_door_says_what_opens_it(hub: Hub, tmp_path: Path, token: str | None, advice: str) -> None:
    hub.token = "hf_secret"
    told = Told()

    with pytest.raises(Problem, match=advice) as raised:
        download(WANTED, hub.url, tmp_path, told.world(token))

    assert "answers 401" in str(raised.value)
    assert [] == told.pauses
    assert "hf_old" not in str(raised.value)


def test_an_overloaded_hub_is_asked_again_with_growing_pauses(hub: Hub, tmp_path: Path) -> None:
    hub.fail = [503, 429, 500]
    told = Told()

    download(WANTED, hub.url, tmp_path, told.world())

    assert 3 == len(told.pauses)
    assert all(low <= pause <= 2 * low for pause, low in zip(told.pauses, (0.5, 1.0, 2.0), strict=True))


def test_what_does_not_exist_is_said_at_once(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="answers 404: there is no such repository, revision or file"):
        download(Wanted("acme/other", "main", "model", ()), hub.url, tmp_path, Told().world())


def test_nobody_there_is_given_up_after_some_tries(tmp_path: Path) -> None:
    told = Told()

    with pytest.raises(Problem, match="given up after 4 tries"):
        download(WANTED, "http://127.0.0.1:9", tmp_path, told.world())

    assert 3 == len(told.pauses)


def test_too_small_a_volume_is_said_before_anything_comes(hub: Hub, tmp_path: Path) -> None:
    huge = hub.listing()
    files = huge["siblings"]
    assert isinstance(files, list)
    for file in files:
        file["size"] = 2**60
    hub.listing = lambda: huge  # type: ignore[method-assign]

    with pytest.raises(Problem, match=r"GiB are still to come, and .* GiB are free; raise weights.size"):
        download(WANTED, hub.url, tmp_path, Told().world())

    assert [] == [path for path, _ in hub.asked if "/resolve/" in path]


def test_another_revision_takes_the_mark_away_before_files_change(hub: Hub, tmp_path: Path) -> None:
    download(WANTED, hub.url, tmp_path, Told().world())
    hub.files[LARGE] = b"new weights"
    hub.cut_after = [3, *[0] * 9]

    with pytest.raises(Problem):
        download(Wanted(REPOSITORY, "v2", "model", ()), hub.url, tmp_path, Told().world())

    assert mark.read(tmp_path / "model") is None
    assert FILES[LARGE] == fetched(tmp_path / "model")[LARGE]  # what engines have open stays whole
    hub.cut_after.clear()
    download(Wanted(REPOSITORY, "v2", "model", ()), hub.url, tmp_path, Told().world())
    assert b"new weights" == fetched(tmp_path / "model")[LARGE]


def test_globs_choose_and_one_that_matches_nothing_is_refused(hub: Hub, tmp_path: Path) -> None:
    download(Wanted(REPOSITORY, "main", "model", ("*.json",)), hub.url, tmp_path, Told().world())
    assert {"params.json", "tekken.json"} == set(fetched(tmp_path / "model"))

    with pytest.raises(Problem, match=r"no file matches '\*.gguf'; there are README.md, consolidated"):
        download(Wanted(REPOSITORY, "main", "other", ("*.gguf",)), hub.url, tmp_path, Told().world())


def test_how_far_it_is_is_told_now_and_then(hub: Hub, tmp_path: Path) -> None:
    told = Told()
    hours = iter(range(0, 10**9, 3600))
    plain = told.world()
    world = World(plain.open_url, plain.patience, lambda: float(next(hours)), plain.sleep, tell=plain.tell)

    download(WANTED, hub.url, tmp_path, world)

    assert any(line.startswith(f"{LARGE}: 1,048,576 bytes of 1,048,576 bytes, 100 %") for line in told)


def test_a_wrong_command_says_so(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = json.dumps({"repository": REPOSITORY, "folder": "model"})

    assert 1 == main(["--folder", str(tmp_path), "--token-file", str(tmp_path / "none"), "--model", model])
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "two").write_text("a b")
    assert 1 == main(["--folder", str(tmp_path), "--token-file", str(tmp_path / "two"), "--model", model])
    assert "must hold one token" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--folder", str(tmp_path), "--model", json.dumps({"repository": REPOSITORY, "folder": ".."})])
