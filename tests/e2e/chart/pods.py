"""A rendered pod on this machine: its volumes as folders, its containers' commands and variables as they stand."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.chart.machine import Machine
from tests.e2e.chart.processes import environment
from tests.helm.render import Object, one


def bytes_of(objects: Iterable[Object], name: str) -> dict[str, bytes]:
    """What a ConfigMap holds that is not text."""
    found = one(objects, "ConfigMap", name)
    return {key: base64.b64decode(value) for key, value in found.get("binaryData", {}).items()}


def texts_of(objects: Iterable[Object], kind: str, name: str) -> dict[str, str]:
    """What a ConfigMap or a Secret holds, by its keys."""
    found: Mapping[str, Any] = one(objects, kind, name)
    if kind == "ConfigMap":
        return dict(found.get("data", {}))
    encoded = {key: base64.b64decode(value).decode() for key, value in found.get("data", {}).items()}
    return encoded | dict(found.get("stringData", {}))


@dataclass
class Pod:
    """One pod. What pods may ask to know of themselves (`fieldRef`) none does so far: it would raise KeyError."""

    name: str
    objects: Sequence[Object]  # of its release
    spec: Mapping[str, Any]
    machine: Machine
    address: str
    run: str
    volumes: dict[str, Path] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.machine.folder / self.name

    def make_volumes(self) -> None:
        """As the kubelet does before it starts a container; what a volume holds is read again at each call."""
        for volume in self.spec.get("volumes", []):
            folder = self.folder / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            self.volumes[volume["name"]] = folder
            for file, text in self._files(volume).items():
                (folder / file).write_text(self.machine.here(text, self._paths(), self.address), encoding="utf-8")
            if "configMap" in volume:
                for file, content in bytes_of(self.objects, volume["configMap"]["name"]).items():
                    (folder / file).write_bytes(content)

    def container(self, name: str | None = None) -> Mapping[str, Any]:
        """The one of this name; the first by default."""
        containers: list[Mapping[str, Any]] = self.spec["containers"]
        return next(it for it in containers if name in (None, it["name"]))

    def command(self, container: Mapping[str, Any]) -> list[str]:
        """What it runs. Raises AssertionError where the image decides."""
        assert "command" in container, f"{self.name}: {container['name']} has no command"
        return [self.here(word) for word in [*container["command"], *container.get("args", [])]]

    def environment(self, container: Mapping[str, Any], extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """All variables of its processes; `extra` are those that others than the chart set."""
        rendered = {each["name"]: self.here(self._value(each)) for each in container.get("env", [])}
        self.folder.mkdir(parents=True, exist_ok=True)
        return environment(self.run, self.folder, rendered | dict(extra or {}))

    def here(self, text: str) -> str:
        return self.machine.here(text, self._paths(), self.address)

    def _paths(self) -> dict[str, Path]:
        mounts = [mount for container in self.spec["containers"] for mount in container.get("volumeMounts", [])]
        assert not [mount for mount in mounts if "subPath" in mount], "what changes in a subPath never arrives"
        return {mount["mountPath"]: self.folder / mount["name"] for mount in mounts}

    def _files(self, volume: Mapping[str, Any]) -> dict[str, str]:
        if "configMap" in volume:
            return texts_of(self.objects, "ConfigMap", volume["configMap"]["name"])
        if "secret" in volume:
            secret = volume["secret"]
            texts = texts_of(self.objects, "Secret", secret["secretName"])
            items = secret.get("items") or [{"key": key, "path": key} for key in texts]
            return {item["path"]: texts[item["key"]] for item in items}
        assert "emptyDir" in volume, f"{self.name}: no idea what the volume {volume} is"
        return {}

    def _value(self, variable: Mapping[str, Any]) -> str:
        if "value" in variable:
            return str(variable["value"])
        (kind, reference), *_ = variable["valueFrom"].items()
        kinds = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
        return texts_of(self.objects, kinds[kind], reference["name"])[reference["key"]]
