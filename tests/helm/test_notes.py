"""The commands that helm prints can be run, and name only what is there."""

import argparse
import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from deploy.cli import keys
from tests.helm.notes import commands, notes
from tests.helm.pods import Pods, pods
from tests.helm.render import CHART, EVERYTHING, Object, one, render
from tests.helm.router_pod import POCKET

STATIC = {"name": "p", "upstream_model": "m", "discovery": {"kind": "static", "endpoints": ["http://10.0.0.1"]}}
TLS = {"certificate": "/etc/tramontane/secrets/c/tls.crt", "key": "/etc/tramontane/secrets/c/tls.key"}
ENGINES = {"pocket": POCKET}
GIVEN: dict[str, Mapping[str, Any]] = {
    "keys of yours": {"engines": ENGINES, "router": {"callersSecret": "mine", "callers": ["a.b", "c"]}},
    "your management key": {
        "engines": ENGINES,
        "router": {"managementKeySecret": "mine"},
        "database": {"external": {"secret": "db"}},
    },
    "tls": {"engines": ENGINES, "router": {"secrets": ["c"], "config": {"listen": {"tls": TLS}}}},
    "anonymous": {"engines": ENGINES, "router": {"callers": [], "config": {"allow_anonymous": True}}},
    "no engines": {"router": {"models": [{"id": "a/m", "context_length": 1, "pools": [STATIC]}]}},
    "another name": {"engines": ENGINES, "fullnameOverride": "llm", "service": {"type": "NodePort", "port": 8000}},
}
FILES = [*sorted((CHART / "ci").glob("*-values.yaml")), EVERYTHING]
every_values = pytest.mark.parametrize(
    "values", [*FILES, *GIVEN.values()], ids=[*(file.stem for file in FILES), *GIVEN]
)
YOURS = {"mine"}  # secrets


@every_values
def test_every_command_is_one(values: Any) -> None:
    for command in commands(notes(values)):
        done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
        assert (0, "") == (done.returncode, done.stderr), command
        words = shlex.split(command, comments=True)
        assert words[0] in ("kubectl", "helm", "curl", "export"), command


@every_values
def test_every_object_that_a_command_names_is_there(values: Any) -> None:
    objects = render(values)
    there = {(it["kind"].lower(), it["metadata"]["name"]) for it in objects} | {("secret", name) for name in YOURS}
    named = [
        (kind, name)
        for command in commands(notes(values))
        for kind, name in re.findall(r"\b(deployment|service|rayservice|secret)[/ ]([a-z0-9][-a-z0-9.]*)", command)
    ]
    assert named
    assert [] == [each for each in named if each not in there]


@every_values
def test_every_command_is_about_the_releases_namespace(values: Any) -> None:
    for command in commands(notes(values)):
        for part in re.findall(r"kubectl .*|helm .*", command):
            assert "--namespace models" in part


@every_values
def test_selectors_select_somebody(values: Any) -> None:
    found = pods(render(values))
    for selector in re.findall(r"--selector (\S+)", "\n".join(commands(notes(values)))):
        labels = dict(each.split("=") for each in selector.split(","))
        assert any(at.matches({"matchLabels": labels}) for at in found), selector


@every_values
def test_ports_are_those_of_the_service(values: Any) -> None:
    objects = render(values)
    ((name, port),) = re.findall(r"port-forward service/(\S+) 8080:(\d+)", notes(values))
    assert int(port) in [it["port"] for it in one(objects, "Service", name)["spec"]["ports"]]


@every_values
def test_keys_are_made_by_a_command_line_that_the_image_understands(values: Any) -> None:
    objects = render(values)
    router = _router(objects)
    for command in commands(notes(values)):
        if "tramontane keys" in command:
            inside = shlex.split(command.partition(" -- ")[2])
            given = _parsed(inside[inside.index("keys") + 1 :])
            assert f"--container {router.containers[-1]['name']} " in command
            assert _is_mounted(router, PurePosixPath(given["key_file"]))
            assert given["url"].endswith("://127.0.0.1:8081")


@every_values
def test_what_is_posted_is_a_request_to_a_model_that_is_there(values: Any) -> None:
    (posted,) = re.findall(r"--data '(.*)'", notes(values))
    body = json.loads(posted)
    config = next(
        it["data"]["router.yaml"]
        for it in render(values)
        if it["kind"] == "ConfigMap" and it["metadata"]["name"].endswith("-router") and "router.yaml" in it["data"]
    )
    assert f"id: {body['model']}\n" in config
    assert "user" == body["messages"][0]["role"]


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"database": {"embedded": {"enabled": True}}}, "one PostgreSQL without backups"),
        (GIVEN["anonymous"], "everybody who reaches the routers"),
        ({"networkPolicy": {"enabled": False}}, "networkPolicy.enabled is false"),
        ({"service": {"type": "LoadBalancer"}}, "without TLS"),
        (
            {"engines": {"m": {"deployment": {"model": "mistral-small-3.1-24b", "preset": "h100"}}}},
            "fetch them anew at every start, and may reach 0.0.0.0/0",
        ),
    ],
)
def test_what_is_not_for_production_is_said(values: Mapping[str, Any], warning: str) -> None:
    assert warning in " ".join(notes({"engines": ENGINES, **values}).split())


def test_nothing_is_warned_of_that_is_not_so() -> None:
    assert "WARNING" not in notes({"engines": ENGINES})


def _router(objects: list[Object]) -> Pods:
    (found,) = [at for at in pods(objects) if at.owner.startswith("Deployment ") and at.owner.endswith("-router")]
    return found


def _is_mounted(at: Pods, path: PurePosixPath) -> bool:
    mounts = [mount["mountPath"] for mount in at.containers[-1]["volumeMounts"]]
    return any(path.is_relative_to(mount) for mount in mounts)


def _parsed(words: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    keys.add_options(parser)
    found = vars(parser.parse_args(words))
    return {key: str(value) if isinstance(value, Path) else value for key, value in found.items()}
