"""What strangers say of a repository."""

import hashlib
import json
from typing import Any

import pytest

from deploy.chart.hub import File, choose, file_url, listing_url, read_listing
from deploy.problem import Problem

COMMIT = "a" * 40


def listed(*files: object, sha: object = COMMIT) -> bytes:
    return json.dumps({"sha": sha, "siblings": files}).encode()


def told(name: Any = "a.json", **more: Any) -> dict[str, Any]:
    return {"rfilename": name, "size": 3, "blobId": "b" * 40, **more}


def named(*names: str) -> tuple[File, ...]:
    return tuple(File(name, 1, None, None) for name in names)


def test_large_files_have_sha256_and_others_gits_own_sum() -> None:
    small, large = read_listing(listed(told(), told("w.bin", lfs={"sha256": "c" * 64})), "acme/model").files

    assert ("b" * 40, "c" * 64) == (small.sum, large.sum)
    digest = small.digest()
    digest.update(b"abc")
    assert hashlib.sha1(b"blob 3\0abc").hexdigest() == digest.hexdigest()


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../b", "a//b", "..", "", "a/./b"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Problem, match="names a file that is none"):
        read_listing(listed(told(name)), "acme/model")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        listed(told(size=-1)),
        listed(told(size="3")),
        listed(told(7)),
        listed(told("a\0b")),
        listed(told(lfs={"sha256": "../x"})),
        listed(told(blobId="../x")),
        listed("a.json"),
        listed(told(), sha="main"),
        listed(told(), sha=None),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(body: bytes) -> None:
    with pytest.raises(Problem, match="the hub's answer about acme/model"):
        read_listing(body, "acme/model")


def test_of_several_forms_of_weights_the_one_that_engines_load_is_chosen() -> None:
    all_of = named("params.json", "consolidated.safetensors", "model-00001-of-00002.safetensors", "model.gguf", "w.bin")

    assert {"params.json", "consolidated.safetensors"} == {file.name for file in choose(all_of, ())}
    plain = named("config.json", "model-00001-of-00002.safetensors", "pytorch_model.bin")
    assert {"config.json", "model-00001-of-00002.safetensors"} == {file.name for file in choose(plain, ())}
    assert {"config.json", "pytorch_model.bin"} == {
        f.name for f in choose(named("config.json", "pytorch_model.bin"), ())
    }


def test_addresses_are_those_of_the_hub() -> None:
    assert "http://h/api/models/a/b/revision/refs%2Fpr%2F1?blobs=true" == listing_url("http://h", "a/b", "refs/pr/1")
    assert f"http://h/a/b/resolve/{COMMIT}/x/y%20z.json" == file_url("http://h", "a/b", COMMIT, "x/y z.json")
