"""The units for machines without containers: what systemd takes, hardened, and in step with the programs they run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import router.config
from deploy.engine_targets import Options
from serving.arguments import Arguments
from serving.config import parse

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="Debian's package is systemd")
MOST_EXPOSED = 2.0  # of systemd's 10; a service that says nothing has 9.6


def section(unit: Path, name: str) -> dict[str, list[str]]:
    """Values of each key, in their order."""
    found: dict[str, list[str]] = {}
    inside = ""
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            inside = line.strip("[]")
        elif "=" in line and not line.startswith("#") and inside == name:
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def service(unit: Path) -> dict[str, list[str]]:
    return section(unit, "Service")


def command(unit: Path) -> list[str]:
    (found,) = service(unit)["ExecStart"]
    return found.replace("%d", "/run/credentials/unit").split()


@needs_systemd
@every_unit
def test_systemd_accepts_it(unit: Path, tmp_path: Path) -> None:
    there = unit.read_text()
    for program in re.findall(r"^ExecStart=(\S+)", there, re.MULTILINE):
        there = there.replace(f"ExecStart={program}", f"ExecStart={sys.executable}")
    (tmp_path / unit.name).write_text(there)
    verify = ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=120)
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


@needs_systemd
@every_unit
def test_it_is_hardened(unit: Path) -> None:
    analyse = ["systemd-analyze", "security", "--offline=true", unit]
    done = subprocess.run(analyse, capture_output=True, text=True, timeout=120)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= MOST_EXPOSED


@every_unit
def test_nobody_is_root_and_secrets_are_credentials(unit: Path) -> None:
    found = service(unit)
    assert (["yes"], ["strict"]) == (found["DynamicUser"], found["ProtectSystem"])
    for credential in found["LoadCredential"]:
        name, _, path = credential.partition(":")
        assert f"/etc/tramontane/secrets/{name}" == path
    assert not [value for value in found["Environment"] if re.search("(?i)key|token|password", value)]


def test_the_engines_are_started_with_options_that_they_have() -> None:
    python, flag, module, *options = command(FOLDER / "tramontane-engines.service")
    assert ("/opt/tramontane-engines/bin/python", "-m", "serving") == (python, flag, module)
    assert Path("/run/credentials/unit/ray-token") == Arguments.parse(options).token_file


def test_targets_are_asked_where_the_engines_dashboard_is() -> None:
    asked = Options.parse(command(FOLDER / "tramontane-engine-targets.service")[3:])
    started = Arguments.parse(command(FOLDER / "tramontane-engines.service")[3:])
    assert f"http://127.0.0.1:{started.dashboard_port}" == asked.dashboard


def test_the_router_is_given_as_long_to_stop_as_it_takes_by_default() -> None:
    (stop_s,) = service(FOLDER / "tramontane-router.service")["TimeoutStopSec"]
    listen = router.config.Config.model_fields["listen"].get_default(call_default_factory=True)
    assert float(stop_s) == listen.leave_s + listen.drain_s + 30


def test_the_engines_are_given_as_long_to_stop_as_they_take_by_default() -> None:
    (stop_s,) = service(FOLDER / "tramontane-engines.service")["TimeoutStopSec"]
    assert float(stop_s) == parse({"model": "pocket", "preset": "cpu"}, "test").drain.timeout_s + 90


@pytest.mark.parametrize("name", ["tramontane-router.service", "tramontane-engines.service"])
def test_who_has_processes_of_its_own_ends_them_itself_and_a_wrong_file_is_not_tried_again(name: str) -> None:
    found = service(FOLDER / name)
    assert (["mixed"], ["2"]) == (found["KillMode"], found["RestartPreventExitStatus"])
