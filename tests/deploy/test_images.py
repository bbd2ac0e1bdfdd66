"""The images' recipes: clean, pinned, without privileges, and in step with the locks and the cluster's variables."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from serving.environment import EVERY_CLUSTER

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "deploy" / "docker").glob("*.Dockerfile"))
ENGINES = [recipe for recipe in RECIPES if recipe.name.startswith("engine-")]
LOCKS = {"router.Dockerfile": "router", "engine-cpu.Dockerfile": "cpu", "engine-cuda.Dockerfile": "gpu"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
every_engine = pytest.mark.parametrize("recipe", ENGINES, ids=lambda recipe: recipe.name)


def instructions(recipe: Path) -> list[tuple[str, str]]:
    """Word and rest of each instruction, comments left out and continued lines joined."""
    lines = [line for line in recipe.read_text().splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def last_stage(recipe: Path) -> list[tuple[str, str]]:
    found = instructions(recipe)
    return found[max(number for number, (word, _) in enumerate(found) if word == "FROM") :]


def variables(recipe: Path) -> dict[str, str]:
    """ENV of the image, as `NAME=value` without blanks in the value."""
    return dict(re.findall(r"(\w+)=(\S*)", " ".join(rest for word, rest in last_stage(recipe) if word == "ENV")))


def test_there_is_one_for_the_router_and_one_for_each_kind_of_engine() -> None:
    assert LOCKS.keys() == {recipe.name for recipe in RECIPES}


@every_recipe
def test_hadolint_finds_nothing(recipe: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", recipe], capture_output=True, text=True, timeout=120)
    assert (0, "") == (done.returncode, done.stdout + done.stderr)
    assert "hadolint ignore" not in recipe.read_text()


@every_recipe
def test_the_base_is_a_slim_python_of_the_locks_minor_version_and_can_come_from_a_mirror(recipe: Path) -> None:
    arguments = dict(rest.split("=", 1) for word, rest in instructions(recipe) if word == "ARG" and "=" in rest)
    minor = re.search(r"--python-version (\S+)", (ROOT / "deploy" / "lock.sh").read_text())
    assert minor is not None
    assert re.fullmatch(rf"{re.escape(minor[1])}\.\d+-slim-\w+", arguments["PYTHON_TAG"])
    assert {"REGISTRY", "PYTHON_DIGEST", "PIP_INDEX_URL"} <= arguments.keys()
    froms = {rest.removesuffix(" AS build") for word, rest in instructions(recipe) if word == "FROM"}
    assert {"${REGISTRY}/python:${PYTHON_TAG}${PYTHON_DIGEST}"} == froms


def test_all_have_the_same_base() -> None:
    assert 1 == len({re.search(r"ARG PYTHON_TAG=(\S+)", recipe.read_text())[1] for recipe in RECIPES})  # type: ignore[index]


@every_recipe
def test_packages_come_from_its_lock_by_hashes_as_wheels(recipe: Path) -> None:
    runs = " ".join(rest for word, rest in instructions(recipe) if word == "RUN")
    assert f"--require-hashes --only-binary :all: --requirement locks/{LOCKS[recipe.name]}.txt" in runs
    assert "--require-hashes --only-binary :all: --requirement locks/build.txt" in runs


@every_recipe
def test_the_version_is_the_projects(recipe: Path) -> None:
    assert ("ARG", f"VERSION={PROJECT['version']}") in instructions(recipe)


@every_recipe
def test_nobody_is_root_and_labels_say_what_it_is(recipe: Path) -> None:
    found = last_stage(recipe)
    uid = "10001:10001" if recipe.name == "router.Dockerfile" else "1000:1000"
    assert [uid] == [rest for word, rest in found if word == "USER"]
    labels = " ".join(rest for word, rest in found if word == "LABEL")
    assert f'org.opencontainers.image.title="tramontane/{recipe.name.removesuffix(".Dockerfile")}"' in labels
    assert f'org.opencontainers.image.licenses="{PROJECT["license"]}"' in labels
    assert "1" == variables(recipe)["PYTHONDONTWRITEBYTECODE"]


@every_recipe
def test_what_is_copied_is_there_and_gets_past_dockerignore(recipe: Path) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    for word, rest in instructions(recipe):
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source.split("/")[0] in allowed, source


@every_engine
def test_every_process_of_a_cluster_has_the_variables_that_it_must_have(recipe: Path) -> None:
    assert EVERY_CLUSTER.items() <= variables(recipe).items()


@every_engine
def test_the_two_images_of_engines_differ_in_what_they_are_for_alone(recipe: Path) -> None:
    same = [rest for word, rest in last_stage(recipe) if word in {"COPY", "USER", "WORKDIR", "EXPOSE", "CMD"}]
    assert same == [
        rest for word, rest in last_stage(ENGINES[0]) if word in {"COPY", "USER", "WORKDIR", "EXPOSE", "CMD"}
    ]


def test_engines_on_cpu_leave_out_what_setup_leaves_out() -> None:
    setup, recipe = (
        (ROOT / "deploy" / "setup.sh").read_text(),
        (ROOT / "deploy/docker/engine-cpu.Dockerfile").read_text(),
    )
    (left_out,) = re.findall(r"pip uninstall --quiet --yes (.+)", setup)
    assert f"uninstall --yes {left_out}" in recipe


def test_engines_on_gpus_find_the_nvcc_that_their_lock_brings() -> None:
    (nvcc,) = re.findall(r"^nvidia-cuda-nvcc==(\d+)\.", (ROOT / "deploy/locks/gpu.txt").read_text(), re.MULTILINE)
    home = variables(ROOT / "deploy/docker/engine-cuda.Dockerfile")["CUDA_HOME"]
    assert home.endswith(f"/site-packages/nvidia/cu{nvcc}")


def test_every_build_argument_is_documented_with_its_default() -> None:
    section = (ROOT / "docs" / "deploy.md").read_text().split("## Images")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (.+?) \|", section, re.MULTILINE)
    documented = {name: default for names, default in rows for name in re.findall(r"\w+", names)}
    used = {rest.partition("=")[0] for recipe in RECIPES for word, rest in instructions(recipe) if word == "ARG"}
    assert used == documented.keys()
    assert f"`{re.search(r'ARG PYTHON_TAG=(.+)', RECIPES[0].read_text())[1]}`" == documented["PYTHON_TAG"]  # type: ignore[index]
