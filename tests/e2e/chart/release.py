"""A release of the chart on this machine: its database, its Ray cluster and its routers."""

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.processes import end_run, of_run
from tests.e2e.chart.machine import Machine
from tests.e2e.chart.pods import Pod, texts_of
from tests.e2e.chart.ray_nodes import RayCluster
from tests.e2e.chart.routers import Routers
from tests.e2e.engines import until
from tests.helm.render import CHART, Object, one, render
from tests.postgres import Postgres

POCKET = CHART / "ci" / "cpu-pocket-values.yaml"
APPLICATION = "pocket"
EXTERNAL = {"database": {"embedded": {"enabled": False}, "external": {"secret": "tramontane-postgresql"}}}
HEAD_S = 300.0
SETTLE_S = 3.0  # before what is left is killed: routers would leave slowly


def rendered(*above: Mapping[str, Any]) -> list[Object]:
    """The chart with cpu-pocket's values and these above them."""
    return render(POCKET, *above)


@dataclass
class Release:
    """What was installed. Its secrets stay what they were at the first rendering, as helm keeps them in a cluster."""

    objects: list[Object]
    machine: Machine
    run: str
    postgres: Postgres
    ray: RayCluster
    routers: Routers

    def upgrade(self, *above: Mapping[str, Any]) -> None:
        """`helm upgrade` with other values: the new objects are known, and nothing has happened yet."""
        secrets = [it for it in self.objects if it["kind"] == "Secret"]
        self.objects = [it for it in rendered(*above) if it["kind"] != "Secret"] + secrets
        self.ray.objects = self.routers.objects = self.objects

    def secret(self, name: str, key: str) -> str:
        return texts_of(self.objects, "Secret", name)[key]

    def create_database(self) -> None:
        """That of the embedded PostgreSQL, in one that runs: its role, its password, its name."""
        url = urlsplit(self.secret("tramontane-postgresql", "url"))
        self.machine.services[f"{url.hostname}:{url.port}"] = f"127.0.0.1:{self.postgres.port}"
        self.postgres.sql(f"CREATE ROLE {url.username} LOGIN PASSWORD '{url.password}'")
        self.postgres.sql(f"CREATE DATABASE {url.path[1:]} OWNER {url.username}")

    def drop_database(self) -> None:
        url = urlsplit(self.secret("tramontane-postgresql", "url"))
        self.postgres.sql(f"DROP DATABASE IF EXISTS {url.path[1:]} WITH (FORCE)")
        self.postgres.sql(f"DROP ROLE IF EXISTS {url.username}")

    def migrate(self) -> str:
        """What the Job for an external database says, which this is to it. Raises AssertionError if it fails."""
        secrets = [it for it in self.objects if it["kind"] == "Secret"]
        objects = [it for it in rendered(EXTERNAL) if it["kind"] != "Secret"] + secrets
        jobs = [it for it in objects if it["kind"] == "Job" and "-migrate-" in it["metadata"]["name"]]
        (job,) = jobs
        return self.finish("migrate", objects, job["spec"]["template"]["spec"])

    def helm_test(self) -> str:
        """What the pod of `helm test` says. Raises AssertionError if it fails."""
        return self.finish("ask", self.objects, one(self.objects, "Pod")["spec"])

    def finish(self, name: str, objects: Sequence[Object], spec: Mapping[str, Any]) -> str:
        """Run a pod to its end. Raises AssertionError with what it said if that is not a good one."""
        pod = Pod(name, objects, spec, self.machine, self.machine.address(2), self.run)
        pod.make_volumes()
        container = pod.container()
        done = subprocess.run(
            pod.command(container),
            env=pod.environment(container),
            cwd=pod.folder,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout


@contextmanager
def installed(postgres: Postgres) -> Iterator[Release]:
    """cpu-pocket with one router, ready, and one engine. That nothing of it is left in the end is asserted."""
    folder = Path(tempfile.mkdtemp(prefix="tram-", dir="/tmp"))
    machine, run, objects = Machine(folder), uuid.uuid4().hex, rendered()
    release = Release(
        objects, machine, run, postgres, RayCluster(objects, machine, run), Routers(objects, machine, run)
    )
    try:
        release.create_database()
        release.ray.start_head()
        _until_head_is_up(release.ray)
        release.ray.start_worker()
        release.ray.apply(objects)
        release.migrate()
        router = release.routers.start()
        machine.services["tramontane-router:80"] = router.url.removeprefix("http://")
        machine.services["tramontane-router-peers:8081"] = router.admin_url.removeprefix("http://")
        release.ray.wait(APPLICATION, 1)
        release.routers.wait(router)
        yield release
    finally:
        processes = [it.process for it in release.routers.started] + [it.process for it in release.ray.nodes]
        for process in processes:
            process.term()
        end_run(run, settle_s=SETTLE_S)
        for process in processes:
            process.end()
        with suppress(subprocess.SubprocessError):
            release.drop_database()
        left = of_run(run)
        shutil.rmtree(folder, ignore_errors=True)
    assert [] == left


def _until_head_is_up(ray: RayCluster) -> None:
    """It takes applications. Not asked by its probes, which speak of all of Ray that runs on a machine."""

    def answers() -> bool:
        ray.nodes[0].keep()
        try:
            return ray.dashboard.read(APPLICATION) is None
        except OSError:
            return False

    until(answers, HEAD_S, "Ray's dashboard answers")
