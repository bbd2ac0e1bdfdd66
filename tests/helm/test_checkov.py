"""checkov has nothing against any shape that is not explained in deploy/chart/checkov-skips.yaml.

It has a hundred dependencies, some of them pinned to what our own tools cannot use, so it lives in an environment of
its own, which `make test-chart` makes; without it these tests are skipped, and test_security.py sees what matters most.
KubeRay's pods are shown to it as plain Pods, as it does not know RayService.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.helm.pods import pods
from tests.helm.render import ROOT, Object
from tests.helm.shapes import ALL, Shape

CHECKOV = ROOT / os.environ.get("VENV_CHECKOV", ".venv-checkov") / "bin" / "checkov"
SKIPS = ROOT / "deploy" / "chart" / "checkov-skips.yaml"
TIMEOUT_S = 540.0  # it takes 20 s; a loaded machine some minutes

needs_checkov = pytest.mark.skipif(not CHECKOV.exists(), reason="no checkov: `make test-chart` installs it")


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    words: str
    of: str


@dataclass(frozen=True, slots=True)
class Exemption:
    check: str
    of: str  # regular expression
    why: str

    def explains(self, finding: Finding) -> bool:
        return finding.check == self.check and re.search(self.of, finding.of) is not None


@needs_checkov
def test_checkov_has_nothing_unexplained_against_any_shape(findings: list[Finding]) -> None:
    exceptions = _exceptions()

    assert [] == [found for found in findings if not any(each.explains(found) for each in exceptions)]


@needs_checkov
def test_no_explanation_is_left_of_what_it_does_not_find_any_more(findings: list[Finding]) -> None:
    assert [] == [each for each in _exceptions() if not any(each.explains(found) for found in findings)]


def test_every_exception_has_its_reason() -> None:
    assert all(len(each.why.split()) > 10 for each in _exceptions())


def _exceptions() -> list[Exemption]:
    return [Exemption(**each) for each in yaml.safe_load(SKIPS.read_text())]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """Of one run over all shapes, as its start takes longest."""
    folder = tmp_path_factory.mktemp("checkov")
    for shape in ALL:
        (folder / f"{shape.name}.yaml").write_text(yaml.safe_dump_all(_shown(shape), sort_keys=False))
    command = [str(CHECKOV), "--directory", str(folder), "--framework", "kubernetes", "--output", "json"]
    quiet = ["--skip-download", "--quiet", "--soft-fail"]
    done = subprocess.run(
        [*command, *quiet], capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 500, "it did not look"
    return [
        Finding(found["check_id"], found["check_name"], f"{Path(found['file_path']).stem} {found['resource']}")
        for found in report["results"]["failed_checks"]
    ]


def _shown(shape: Shape) -> list[Object]:
    objects = shape.objects()
    services = [thing for thing in objects if thing["kind"] == "RayService"]
    return objects + [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": at.owner.partition(" ")[2].replace(" ", "-").lower(),
                "namespace": "models",
                "labels": dict(at.labels),
            },
            "spec": dict(at.spec),
        }
        for at in pods(services)
    ]
