"""The pods of a rendering, whoever makes them: workloads of Kubernetes, and KubeRay, which common tools do not know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.helm.render import Object

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


@dataclass(frozen=True, slots=True)
class Pods:
    """Alike pods of one owner."""

    owner: str  # kind and name
    labels: Mapping[str, str]
    template: Mapping[str, Any]

    @property
    def spec(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.template["spec"]
        return found

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """Those that start it too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def matches(self, selector: Mapping[str, Any]) -> bool:
        """By a LabelSelector, which holds here only what charts use of it."""
        wanted = selector.get("matchLabels", {})
        return all(self.labels.get(key) == value for key, value in wanted.items()) and all(
            _agrees(self.labels, each) for each in selector.get("matchExpressions", [])
        )

    def ports(self) -> set[str | int]:
        """By name and number."""
        ports = [port for container in self.containers for port in container.get("ports", [])]
        return {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}


def _agrees(labels: Mapping[str, str], expression: Mapping[str, Any]) -> bool:
    key, operator = expression["key"], expression["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) == (operator == "Exists")
    assert operator in ("In", "NotIn"), f"no such operator: {operator}"
    return (labels.get(key) in expression["values"]) == (operator == "In")


def pods(objects: Iterable[Object]) -> list[Pods]:
    return [found for thing in objects for found in _of(thing)]


def _of(thing: Object) -> Iterator[Pods]:
    owner = f"{thing['kind']} {thing['metadata']['name']}"
    if thing["kind"] == "Pod":
        yield Pods(owner, thing["metadata"].get("labels", {}), thing)
    elif thing["kind"] in WORKLOADS:
        yield _pods(owner, thing["spec"]["template"])
    elif thing["kind"] == "CronJob":
        yield _pods(owner, thing["spec"]["jobTemplate"]["spec"]["template"])
    elif thing["kind"] == "RayService":
        cluster = thing["spec"]["rayClusterConfig"]
        yield _pods(f"{owner} head", cluster["headGroupSpec"]["template"], _of_kuberay("head", "headgroup"))
        for group in cluster["workerGroupSpecs"]:
            name = group["groupName"]
            yield _pods(f"{owner} {name}", group["template"], _of_kuberay("worker", name))


def _of_kuberay(kind: str, group: str) -> dict[str, str]:
    """What KubeRay puts onto its pods, as far as it is known before; labels of the template go above the last two."""
    return {
        "ray.io/node-type": kind,
        "ray.io/group": group,
        "ray.io/is-ray-node": "yes",
        "app.kubernetes.io/name": "kuberay",
        "app.kubernetes.io/created-by": "kuberay-operator",
    }


def _pods(owner: str, template: Mapping[str, Any], added: Mapping[str, str] | None = None) -> Pods:
    return Pods(owner, {**(added or {}), **template["metadata"].get("labels", {})}, template)
