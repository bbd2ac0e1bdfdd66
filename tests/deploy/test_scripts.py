"""The project's shell scripts, held against shellcheck."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "deploy").rglob("*.sh") if "secrets" not in path.parts)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.relative_to(ROOT)))
def test_shellcheck_finds_nothing(script: Path) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    sourced = ["--shell=sh"] if not script.read_text().startswith("#!") else []
    done = subprocess.run([shellcheck, *sourced, script], capture_output=True, text=True, timeout=120)
    assert (0, "") == (done.returncode, done.stdout)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.relative_to(ROOT)))
def test_what_is_run_can_be_run_and_stops_at_the_first_failure(script: Path) -> None:
    text = script.read_text()
    if text.startswith("#!"):
        assert script.stat().st_mode & 0o111
        assert "set -euo pipefail" in text
