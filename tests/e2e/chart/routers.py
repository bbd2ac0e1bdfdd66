"""Router pods as the rendered Deployment says: each with an address of its own, its probes, its grace."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from deploy.processes import tail
from tests.e2e.chart.machine import Machine
from tests.e2e.chart.pods import Pod
from tests.e2e.chart.probes import Target
from tests.e2e.chart.processes import Running
from tests.e2e.engines import until
from tests.helm.render import Object, one

FIRST = 11  # number of the first router's address
MOST = 8  # routers that there may be in a run, one after another: each is known to the others from the start
READY_S = 120.0
CONFIG = "router.yaml"


@dataclass
class Router:
    """One pod that runs."""

    number: int
    pod: Pod
    process: Running
    target: Target

    @property
    def url(self) -> str:
        return self._at("http")

    @property
    def admin_url(self) -> str:
        return self._at("admin")

    def is_ready(self) -> bool:
        self.process.require()
        return self.target.probe("readinessProbe").is_good

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        text = httpx.get(f"{self._at('metrics')}/metrics", timeout=30, trust_env=False).text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def _at(self, port: str) -> str:
        ports = {each["name"]: each["containerPort"] for each in self.target.container["ports"]}
        return f"http://{self.pod.address}:{ports[port]}"


@dataclass
class Routers:
    """All routers of a run, those that have ended among them."""

    objects: Sequence[Object]
    machine: Machine
    run: str
    started: list[Router] = field(default_factory=list)

    @property
    def deployment(self) -> Mapping[str, Any]:
        return dict(one(self.objects, "Deployment")["spec"])

    @property
    def spec(self) -> Mapping[str, Any]:
        return dict(self.deployment["template"]["spec"])

    @property
    def container(self) -> Mapping[str, Any]:
        (found,) = self.spec["containers"]
        return dict(found)

    def start(self) -> Router:
        """One more. It is not ready yet."""
        number = len(self.started)
        assert number < MOST
        name = f"router-{number}"
        address = self.machine.address(FIRST + number)
        pod = Pod(name, self.objects, self.spec, self.machine, address, self.run)
        pod.make_volumes()
        self._meet(pod.volumes["config"] / CONFIG, address)
        container = pod.container("router")
        environment = pod.environment(container)
        process = Running(pod.command(container), environment, pod.folder, self.machine.folder / f"{name}.log")
        router = Router(number, pod, process, Target(container, address, environment))
        self.started.append(router)
        return router

    def wait(self, router: Router) -> Router:
        try:
            until(router.is_ready, READY_S, f"{router.pod.name} is ready")
        except TimeoutError as error:
            told = router.target.probe("readinessProbe").why
            raise AssertionError(f"{error}, but: {told}\n{tail(router.process.log, 40)}") from None
        return router

    def end(self, router: Router) -> float:
        """As Kubernetes deletes a pod. Gives the seconds it took. Raises AssertionError if it did not end well."""
        began = time.monotonic()
        router.process.term()
        code = router.process.wait(float(self.spec["terminationGracePeriodSeconds"]))
        assert 0 == code, f"{router.pod.name} ended with {code}: {router.process.log.read_text()[-4_000:]}"
        return time.monotonic() - began

    def _meet(self, file: Path, address: str) -> None:
        """A headless Service has a name whose addresses are the routers'; here they are told one by one."""
        config = yaml.safe_load(file.read_text())
        port = config["mesh"]["gossip"].pop("dns").rpartition(":")[2]
        peers = [f"{self.machine.address(FIRST + number)}:{port}" for number in range(MOST)]
        config["mesh"]["gossip"] |= {"listen": f"{address}:{port}", "peers": peers}
        file.write_text(yaml.safe_dump(config))
