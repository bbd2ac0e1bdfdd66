"""RayServices of one engine, and what is in them."""

from collections.abc import Mapping
from typing import Any

import pytest

from deploy.chart.deployment import Application, Group, applications, groups
from tests.helm.render import one, render
from tests.helm.shapes import ALL

WITH_ENGINES = [shape for shape in ALL if shape.name != "external-database"]
every_shape = pytest.mark.parametrize("shape", WITH_ENGINES, ids=str)
MISTRAL: dict[str, Any] = {"model": "mistral-small-3.1-24b", "preset": "h100"}
POCKET: dict[str, Any] = {"model": "pocket", "preset": "cpu"}
REPOSITORY = "mistralai/Mistral-Small-3.1-24B-Instruct-2503"
ON_CLAIM = {"weights": {"enabled": True, "download": {"models": [{"repository": REPOSITORY, "folder": "mistral"}]}}}


def service(deployment: Mapping[str, Any] = MISTRAL, *more: Mapping[str, Any], **workers: Any) -> dict[str, Any]:
    values = {"engines": {"mine": {"deployment": deployment, "workers": workers}}}
    return one(render(values, *more), "RayService")


def cluster(found: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = found["spec"]["rayClusterConfig"]
    return made


def only(found: Mapping[str, Any]) -> tuple[Application, Group]:
    (application,), (group,) = applications(found), groups(found)
    return application, group


def worker(found: Mapping[str, Any]) -> dict[str, Any]:
    """Its pod's spec."""
    (group,) = cluster(found)["workerGroupSpecs"]
    made: dict[str, Any] = group["template"]["spec"]
    return made


def environment(pod: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}
