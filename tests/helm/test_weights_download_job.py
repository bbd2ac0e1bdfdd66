"""The job that fills the claim: started by the chart, and by hand with the same words."""

import json
from pathlib import Path
from typing import Any

from deploy.chart.download import main
from tests.deploy.chart.fake_hub import REPOSITORY, Hub, running
from tests.helm.render import render
from tests.helm.test_weights_claim import ENGINES, MODEL


def jobs(**download: Any) -> list[dict[str, Any]]:
    found = render(ENGINES, {"weights": {"enabled": True, "download": {"models": [MODEL], **download}}})
    return [it for it in found if it["kind"] == "Job"]


def name(**download: Any) -> str:
    (job,) = jobs(**download)
    return str(job["metadata"]["name"])


def container(**download: Any) -> dict[str, Any]:
    (job,) = jobs(**download)
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_helm_does_not_wait_for_it() -> None:
    (job,) = jobs()

    assert "annotations" not in job["metadata"]


def test_another_job_is_made_exactly_when_something_else_is_asked_for() -> None:
    assert name() == name()
    assert name().startswith("tramontane-download-")
    other = [MODEL | {"revision": "v2"}]
    assert 4 == len({name(), name(models=other), name(tokenSecret="hub"), name(endpoint="http://mirror:8080")})


def test_the_token_is_a_file_and_in_no_argument_or_variable() -> None:
    found = container(tokenSecret="hub")

    assert "--token-file=/etc/tramontane/secrets/hub/token" in found["args"]
    assert "env" not in found
    assert not any("token" in argument for argument in container()["args"])


def test_files_belong_to_the_engines_user() -> None:
    (job,) = jobs()

    assert 1000 == job["spec"]["template"]["spec"]["securityContext"]["runAsUser"]


def test_there_is_none_without_anything_to_fill() -> None:
    assert [] == [it for it in render(ENGINES) if it["kind"] == "Job"]
    claim = {"weights": {"enabled": True, "existingClaim": "mine", "download": {"enabled": False}}}
    assert [] == [it for it in render(ENGINES, claim) if it["kind"] == "Job"]


def test_the_rendered_command_downloads(tmp_path: Path) -> None:
    wanted = {"repository": REPOSITORY, "revision": "main", "folder": "model", "files": ["*.json"]}
    with running(Hub({"params.json": b"{}", "consolidated.safetensors": b"no"})) as hub:
        found = container(models=[wanted], endpoint=hub.url)
        assert ["python", "-m", "deploy.chart.download"] == found["command"]
        arguments = [argument.replace("--folder=/weights", f"--folder={tmp_path}") for argument in found["args"]]

        assert 0 == main(arguments)

    assert b"{}" == (tmp_path / "model" / "params.json").read_bytes()
    assert wanted == json.loads(found["args"][-1].removeprefix("--model="))
