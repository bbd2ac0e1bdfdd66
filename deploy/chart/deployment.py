"""What a rendered RayService asks of Ray: its applications as `serving` reads them, and what its pods offer.

Pure, and without Ray: for tests of the chart, and for whoever wants to know what a values file comes to.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from serving.config import Deployment, from_args
from serving.engine import Engine, resolve

HINT = 0.001  # of a card's name in each bundle: Ray's way to ask for a kind of card


@dataclass(frozen=True, slots=True)
class Application:
    """One engine."""

    name: str
    deployment: Deployment
    options: Mapping[str, Any]  # that Serve takes beside the arguments

    def bundles(self) -> tuple[Mapping[str, float], ...]:
        """What Ray is asked to find room for."""
        return tuple(self.options["placement_group_bundles"])


@dataclass(frozen=True, slots=True)
class Group:
    """Alike pods."""

    name: str
    pods: int  # that one replica is spread over
    offers: Mapping[str, float]  # of each, in Ray's words
    gpus: int  # of each, that Kubernetes gives


def applications(service: Mapping[str, Any]) -> Iterator[Application]:
    """Of a RayService. Raises ConfigError: `serving` refuses one's arguments."""
    for told in yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]:
        (options,) = told["deployments"]
        yield Application(told["name"], from_args(told["args"]), options)


def groups(service: Mapping[str, Any], gpu: str = "nvidia.com/gpu") -> Iterator[Group]:
    """Of a RayService: its workers."""
    for told in service["spec"]["rayClusterConfig"]["workerGroupSpecs"]:
        started = told["rayStartParams"]
        offers = {"CPU": float(started["num-cpus"]), "GPU": float(started["num-gpus"])}
        offers |= json.loads(started["resources"].strip("'"))
        limits = told["template"]["spec"]["containers"][0]["resources"]["limits"]
        yield Group(told["groupName"], told["numOfHosts"], offers, int(limits.get(gpu, 0)))


def wanted(deployment: Deployment) -> tuple[dict[str, float], ...]:
    """The bundles that Serve makes of an engine's placement: the replica itself is in the first.

    Raises ConfigError: the engine cannot be.
    """
    engine: Engine = resolve(deployment)
    made = [dict(bundle) for bundle in engine.placement.bundles]
    for bundle in made:
        if engine.accelerator_type:
            bundle[f"accelerator_type:{engine.accelerator_type}"] = HINT
    made[0]["CPU"] += deployment.cpus_per_replica
    return tuple(made)


def unplaced(bundles: tuple[Mapping[str, float], ...], group: Group) -> list[Mapping[str, float]]:
    """Bundles for which there is no room in the pods of one replica; empty: it can be placed."""
    left = [dict(group.offers) for _ in range(group.pods)]
    rest = []
    for bundle in bundles:
        for pod in left:
            if all(pod.get(name, 0.0) >= amount for name, amount in bundle.items()):
                for name, amount in bundle.items():
                    pod[name] -= amount
                break
        else:
            rest.append(bundle)
    return rest
