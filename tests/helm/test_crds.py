"""`make crds`: what is fetched is what the releases hold, or it is not kept."""

import hashlib
from pathlib import Path

import pytest

from deploy.chart.crds import RELEASES, Release, fetch, main
from deploy.problem import Problem
from tests.helm.schemas import CRDS

BODY = b"kind: CustomResourceDefinition\n"
RELEASE = Release("who/what", "v1.2.3", "config/crd", (("a.yaml", hashlib.sha256(BODY).hexdigest()),))


class Web:
    def __init__(self, body: bytes | OSError) -> None:
        self.body = body
        self.asked: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if isinstance(self.body, OSError):
            raise self.body
        return self.body


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    web = Web(BODY)

    assert [1, 0] == [fetch(tmp_path / "crds", web, [RELEASE]) for _ in range(2)]

    assert ["https://raw.githubusercontent.com/who/what/v1.2.3/config/crd/a.yaml"] == web.asked
    assert BODY == (tmp_path / "crds" / "a.yaml").read_bytes()


def test_a_file_that_was_changed_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("something else")

    assert 1 == fetch(tmp_path, Web(BODY), [RELEASE])

    assert BODY == (tmp_path / "a.yaml").read_bytes()


def test_another_file_than_the_releases_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"a\.yaml: its sha256 is [0-9a-f]{64}, not [0-9a-f]{64}: this is not the file"):
        fetch(tmp_path, Web(b"<html>"), [RELEASE])

    assert [] == list(tmp_path.iterdir())


def test_who_cannot_fetch_is_told_from_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["fetch", "--folder", str(tmp_path)], Web(OSError("no route to host")))

    assert "ray.io_rayclusters.yaml: no route to host" in capsys.readouterr().err


def test_what_would_be_fetched_can_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["list"])

    lines = capsys.readouterr().out.splitlines()
    assert sum(len(release.files) for release in RELEASES) == len(lines)
    assert "https://raw.githubusercontent.com/ray-project/kuberay/v1.7.0/" in lines[0]


def test_the_files_beside_the_checkout_are_those_of_the_releases() -> None:
    if not CRDS[0].is_dir():
        pytest.skip("there are none beside the checkout")
    for release in RELEASES:
        for name, digest in release.files:
            assert digest == hashlib.sha256((CRDS[0] / name).read_bytes()).hexdigest(), name
