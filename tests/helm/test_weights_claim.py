"""Where weights lie."""

from typing import Any

from tests.helm.render import one, render

ENGINES = {"engines": {"mistral": {"deployment": {"model": "mistral-small-3.1-24b", "preset": "h100"}}}}
MODEL = {"repository": "mistralai/Mistral-Small-3.1-24B-Instruct-2503", "folder": "mistral"}


def objects(**weights: Any) -> list[dict[str, Any]]:
    return render(ENGINES, {"weights": {"enabled": True, "download": {"models": [MODEL]}, **weights}})


def test_it_is_kept_and_shared() -> None:
    claim = one(objects(storageClass="shared", size="200Gi"), "PersistentVolumeClaim", "tramontane-weights")

    assert "keep" == claim["metadata"]["annotations"]["helm.sh/resource-policy"]
    assert (["ReadWriteMany"], "shared") == (claim["spec"]["accessModes"], claim["spec"]["storageClassName"])
    assert "200Gi" == claim["spec"]["resources"]["requests"]["storage"]


def test_it_can_go_with_the_release_and_take_the_clusters_own_class() -> None:
    claim = one(objects(keep=False), "PersistentVolumeClaim", "tramontane-weights")

    assert "annotations" not in claim["metadata"]
    assert "storageClassName" not in claim["spec"]


def test_yours_is_taken() -> None:
    assert not any(it["metadata"]["name"] == "tramontane-weights" for it in claims(objects(existingClaim="mine")))
    assert [] == claims(render(ENGINES))


def claims(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [it for it in found if it["kind"] == "PersistentVolumeClaim" and it["metadata"]["name"].endswith("weights")]
