"""A pod of the chart as files: what is mounted into it and nothing else, so that a file no mount brings is missed."""

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from router import config
from router.config import Config, Secrets
from router.protocol.vocabulary import Vocabulary
from tests.helm.render import one, render

TEKKEN = Path(__file__).parents[2] / "serving" / "pocket" / "weights" / "tekken.json"
POCKET = {"deployment": {"model": "pocket", "preset": "cpu"}}
URL = "postgresql://user:password@db.example.org/tramontane"
Objects = Sequence[Mapping[str, Any]]


def made(*given: Mapping[str, Any] | Path) -> list[dict[str, Any]]:
    """The chart's objects: those of the pocket model's engines, if nothing else is given."""
    return render({"engines": {"pocket": POCKET}} if _is_without_models(given) else {}, *given)


def _is_without_models(given: Sequence[Mapping[str, Any] | Path]) -> bool:
    return all(
        isinstance(each, Mapping) and not each.get("engines") and not each.get("router", {}).get("models")
        for each in given
    )


def router_file(objects: Objects) -> dict[str, Any]:
    """What the router is told."""
    told: dict[str, Any] = yaml.safe_load(one(objects, "ConfigMap", "tramontane-router")["data"]["router.yaml"])
    return told


def pod_of(objects: Objects, kind: str = "Deployment", name: str = "tramontane-router") -> dict[str, Any]:
    """The pod's spec."""
    spec: dict[str, Any] = one(objects, kind, name)["spec"]["template"]["spec"]
    return spec


def start(objects: Objects, root: Path) -> tuple[Config, Secrets, dict[str, Vocabulary]]:
    """Do what a router does first: read its file, its secrets and its vocabularies. Raises ConfigError."""
    pod = pod_of(objects)
    mount(objects, pod, root)
    file = root / "etc/tramontane/config/router.yaml"
    file.write_text(re.sub(r"(?<=: )/(?=etc/|weights/)", f"{root}/", file.read_text()))
    read = config.load(file)
    return read, config.read_secrets(read, {}), config.read_vocabularies(read)


def mount(objects: Objects, pod: Mapping[str, Any], root: Path) -> None:
    """The volumes of the pod's first container, below `root`. Secrets that are not the chart's hold something."""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    text = yaml.safe_dump_all(objects)
    for at in pod["containers"][0]["volumeMounts"]:
        volume, folder = volumes[at["name"]], root / at["mountPath"].lstrip("/")
        folder.mkdir(parents=True)
        for name, content in _files(objects, volume, at["mountPath"], text).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def _files(objects: Objects, volume: Mapping[str, Any], path: str, text: str) -> dict[str, bytes]:
    if "configMap" in volume:
        found = one(objects, "ConfigMap", volume["configMap"]["name"])
        texts = {name: value.encode() for name, value in found.get("data", {}).items()}
        return texts | {name: base64.b64decode(value) for name, value in found.get("binaryData", {}).items()}
    if "persistentVolumeClaim" in volume and path == "/weights":
        return {name: TEKKEN.read_bytes() for name in set(re.findall(r"/weights/([\w./-]+/tekken\.json)", text))}
    if "secret" not in volume:
        return {}
    name, items = volume["secret"]["secretName"], volume["secret"].get("items")
    ours = [it for it in objects if it["kind"] == "Secret" and it["metadata"]["name"] == name]
    if ours:
        data = {key: base64.b64decode(value) for key, value in ours[0]["data"].items()}
    else:
        named = re.findall(rf"/etc/tramontane/secrets/{re.escape(name)}/([\w.-]+)", text)
        data = {key: (URL if key == "url" else f"{name}-{key}-of-yours").encode() for key in named}
    return data if items is None else {item["path"]: data[item["key"]] for item in items}
