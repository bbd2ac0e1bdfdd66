"""The values that every general check is asked of: the files in ci/, and everything that can be switched on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helm.render import EVERYTHING, NONE, SHAPES, Object, render, templates_of


@dataclass(frozen=True, slots=True)
class Shape:
    """Values under a name."""

    name: str
    file: Path
    set: Mapping[str, Any]

    def __str__(self) -> str:
        return self.name

    def arguments(self) -> list[str]:
        """Of helm, beside the file."""
        return [part for key, value in self.set.items() for part in ("--set-json", f"{key}={json.dumps(value)}")]

    def templates(self) -> dict[str, list[Object]]:
        """What each template makes of it, by its path."""
        return templates_of(self.file, set=self.set)

    def objects(self, **more: Any) -> list[Object]:
        """What the chart makes of it."""
        return render(self.file, set=self.set, **more)


OTHERWISE: Mapping[str, Mapping[str, Any]] = {
    "everything": NONE,
    "everything-hpa": {"router.autoscaling.kind": "hpa", "ingress.controller": "haproxy"},
    "everything-rocksdb": {
        "ray.gcsFaultTolerance.backend": "rocksdb",
        "ray.gcsFaultTolerance.redis.address": "",
        "ingress.controller": "traefik",
    },
    "everything-incremental": {
        "ray.upgrade.type": "Incremental",
        "ray.upgrade.gatewayClassName": "istio",
        "ingress.controller": "alb",
    },
    "everything-external-database": {
        "database.embedded.enabled": False,
        "database.external.secret": "tramontane-database",
        "networkPolicy.clients": [],
        "ingress.controller": "none",
    },
    "everything-of-yours": {
        "ray.tokenSecret": "my-token",
        "ray.upgrade.type": "None",
        "router.managementKeySecret": "my-key",
        "router.meshSecret": "my-mesh",
        "serviceAccount.router": "my-router",
        "serviceAccount.engines": "my-engines",
        "weights.existingClaim": "my-weights",
        "networkPolicy.enabled": False,
        "gateway.inferencePool.enabled": False,
        "fullnameOverride": "llm",
    },
    "everything-without-a-database": {
        "database.embedded.enabled": False,
        "router.callers": ["team-a", "team-b"],
        "router.podDisruptionBudget.enabled": False,
        "weights.enabled": False,
        "weights.download.models": [],
    },
}

ALL = [Shape(file.stem.removesuffix("-values"), file, NONE) for file in SHAPES] + [
    Shape(name, EVERYTHING, changes) for name, changes in OTHERWISE.items()
]
every_shape = pytest.mark.parametrize("shape", ALL, ids=str)
