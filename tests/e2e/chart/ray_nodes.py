"""KubeRay's part on one machine: Ray's nodes started from a RayService, and its Serve config handed on.

A node is a pod's first container, with the variables rendered for it and the cluster's token besides, as KubeRay adds
it. One machine needs more: everything on the loopback address, ports that differ between nodes, and what follows.
"""

import copy
import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import psutil
import yaml

from serving.application import wait_until_ready
from serving.cluster import free_port
from serving.dashboard import PATH, ApplicationState, Dashboard
from tests.e2e.chart.machine import HOST, Machine
from tests.e2e.chart.pods import Pod, texts_of
from tests.e2e.chart.probes import Target
from tests.e2e.chart.processes import Running
from tests.e2e.engines import START_S
from tests.helm.render import Object, one

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # serving.environment.one_machine says why
WORKERS_PORTS = {"min-worker-port": "0", "max-worker-port": "0"}  # any: two nodes would choose the same
SOME_PORT = "0"
MOST_RESTARTS = 3


@dataclass
class Node:
    """One Ray node: a pod."""

    pod: Pod
    process: Running
    target: Target
    start: Callable[[], Running]
    restarts: int = 0

    def keep(self) -> None:
        """Start it again if it has ended, as the kubelet does: a busy machine's Ray may give up while it starts."""
        if self.process.has_ended and self.restarts < MOST_RESTARTS:
            self.restarts += 1
            self.process = self.start()
        self.process.require()

    def processes(self, word: str) -> list[psutil.Process]:
        """Those with this word in the title. Raises AssertionError if there is none."""
        found = self.process.named(word)
        assert found, f"{self.pod.name} has no process {word}"
        return found


@dataclass
class RayCluster:
    """What KubeRay makes of one RayService."""

    objects: Sequence[Object]
    machine: Machine
    run: str
    gcs_port: int = field(default_factory=free_port)
    dashboard_port: int = field(default_factory=free_port)
    nodes: list[Node] = field(default_factory=list)

    @property
    def service(self) -> Mapping[str, Any]:
        return one(self.objects, "RayService")

    @property
    def token(self) -> str:
        options = self.service["spec"]["rayClusterConfig"]["authOptions"]
        assert "token" == options["mode"]
        return texts_of(self.objects, "Secret", options["secretName"])["auth_token"]

    @property
    def dashboard(self) -> Dashboard:
        return Dashboard(f"http://{HOST}:{self.dashboard_port}", self.token)

    def start_head(self) -> Node:
        """The head, whose Service is known under its name from now on."""
        group = self.service["spec"]["rayClusterConfig"]["headGroupSpec"]
        head = f"{self.service['metadata']['name']}-head-svc"
        self.machine.services[f"{head}:8265"] = f"{HOST}:{self.dashboard_port}"
        own = {
            "head": None,
            "port": str(self.gcs_port),
            "dashboard-host": HOST,
            "dashboard-port": str(self.dashboard_port),
            "ray-client-server-port": str(free_port()),
        }
        return self._start("head", group, own)

    def start_worker(self) -> Node:
        """One pod of the only worker group."""
        (group,) = self.service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
        assert 1 == group["numOfHosts"]
        return self._start(f"w{len(self.nodes)}", group, {"address": f"{HOST}:{self.gcs_port}"})

    def apply(self, objects: Sequence[Object]) -> None:
        """Hand a release's Serve config to the cluster: what KubeRay does with it, at the start and at a change."""
        self.objects = objects
        config = self.here(yaml.safe_load(self.service["spec"]["serveConfigV2"]))
        answer = httpx.put(
            f"{self.dashboard.base_url}{PATH}",
            content=json.dumps(config),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            timeout=60,
        )
        assert answer.is_success, answer.text

    def here(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """A Serve config as it must read on one machine: one address for all, and ports that do not meet."""
        changed = copy.deepcopy(dict(config))
        changed["http_options"] |= {"host": HOST, "port": free_port()}
        for application in changed["applications"]:
            application["args"]["kv_events"]["port"] = 0
        return changed

    def wait(self, application: str, replicas: int, former: frozenset[str] = frozenset()) -> ApplicationState:
        """Until so many replicas are announced, none of the former ones among them."""

        def read() -> ApplicationState | None:
            state = self.dashboard.read(application)
            if state is not None and former & {replica.name for replica in state.replicas}:
                return None
            return state

        return wait_until_ready(read, replicas, 2 * START_S, lambda news: print(news, flush=True), self._rest)

    def _start(self, name: str, group: Mapping[str, Any], own: Mapping[str, str | None]) -> Node:
        pod = Pod(name, self.objects, group["template"]["spec"], self.machine, HOST, self.run)
        pod.make_volumes()
        container = pod.container()
        environment = pod.environment(container, {"RAY_AUTH_TOKEN": self.token} | LOOPBACK)
        rendered = {key: shlex.split(value)[0] for key, value in group["rayStartParams"].items()}
        here = {
            "node-ip-address": HOST,
            "node-manager-port": str(free_port()),
            "dashboard-agent-listen-port": SOME_PORT,
            "metrics-export-port": SOME_PORT,
            "temp-dir": pod.here("/tmp/ray"),
        }
        options = rendered | dict(own) | here | WORKERS_PORTS
        words = [f"--{key}" if value is None else f"--{key}={value}" for key, value in options.items()]
        command = ["python", "-m", "tests.e2e.chart.ray_start", "--block", *words]
        start = partial(Running, command, environment, pod.folder, self.machine.folder / f"{name}.log")
        node = Node(pod, start(), Target(container, HOST, environment, self._probe), start)
        self.nodes.append(node)
        return node

    def _probe(self, command: Sequence[str]) -> list[str]:
        """Ports that differ from those in a pod; everything else as it was rendered."""
        words = list(command)
        if words[:4] == ["python", "-m", "serving.probe", "head"]:
            words += [f"--gcs-port={self.gcs_port}", f"--dashboard-port={self.dashboard_port}"]
        return words

    def _rest(self) -> None:
        for node in self.nodes:
            node.keep()
        time.sleep(0.5)
