"""Every probe that the chart renders is executed as it stands there, against the thing that it is about: well, hung,
and well again. Nothing is waited for but one attempt: how soon Kubernetes would act on it is arithmetic.
"""

from collections.abc import Sequence

import psutil
import pytest

from tests.e2e.chart.probes import KINDS, Target
from tests.e2e.chart.processes import environment, hung
from tests.e2e.chart.release import Release
from tests.e2e.engines import until
from tests.helm.render import one

NOTICED_S = 120.0  # a hang may last at most, until something is done about it
AGAIN_S = 60.0  # to be well again; a second is usual
STARTUP, LIVENESS, READINESS = KINDS

# Where the container is, what of it hangs (a word of its title), and which probes must say so.
HANGS = [
    ("head", "gcs_server", KINDS),
    ("head", "raylet/raylet", KINDS),
    ("head", "dashboard/dashboard.py", (READINESS,)),  # routers go on with the engines that they know
    ("w1", "raylet/raylet", KINDS),
    ("w1", "ray::ServeReplica", (READINESS,)),  # that Serve's own checks replace, without the pod
]


@pytest.fixture
def postgresql(release: Release) -> Target:
    """The embedded database's container; the tests' cluster has another port."""
    spec = one(release.objects, "StatefulSet")["spec"]["template"]["spec"]
    variables = environment(release.run, release.machine.folder, {"PGPORT": str(release.postgres.port)})
    return Target(spec["containers"][0], "127.0.0.1", variables)


def judged(target: Target) -> dict[str, bool]:
    return {kind: target.probe(kind).is_good for kind in KINDS}


def require_well(target: Target) -> None:
    """Until all its probes say so, with what the first of the others says."""
    until(lambda: all(judged(target).values()), AGAIN_S, f"{[target.probe(kind).why for kind in KINDS]}")


def require_noticed(target: Target, processes: Sequence[psutil.Process], kinds: Sequence[str]) -> None:
    """Well before, well afterwards, and while they hang exactly these probes fail."""
    require_well(target)
    with hung(processes):
        assert {kind: kind not in kinds for kind in KINDS} == judged(target)
    require_well(target)


@pytest.fixture
def ray_alone(release: Release) -> None:
    """A pod's probe sees its own processes; here it sees all, and would speak of another cluster's."""
    ours = {process.pid for node in release.ray.nodes for process in node.processes("raylet/raylet")}
    others = {it.pid for it in psutil.process_iter(["name"]) if it.info["name"] == "raylet"} - ours
    assert not others, f"end the other Ray clusters of this machine first; their raylets are {sorted(others)}"


@pytest.mark.disruptive
@pytest.mark.usefixtures("ray_alone")
@pytest.mark.parametrize(("name", "word", "kinds"), HANGS, ids=[f"{name}: {word}" for name, word, _ in HANGS])
def test_the_probes_of_a_ray_container_notice_what_hangs(
    release: Release, name: str, word: str, kinds: Sequence[str]
) -> None:
    (node,) = (it for it in release.ray.nodes if it.pod.name == name)
    require_noticed(node.target, node.processes(word), kinds)


@pytest.mark.disruptive
def test_the_probes_of_a_router_notice_that_it_hangs(release: Release) -> None:
    router = release.routers.started[0]
    require_noticed(router.target, [psutil.Process(router.process.pid)], KINDS)


@pytest.mark.disruptive
def test_the_probes_of_the_database_notice_that_it_hangs(release: Release, postgresql: Target) -> None:
    require_well(postgresql)
    release.postgres.pause()
    try:
        assert dict.fromkeys(KINDS, False) == judged(postgresql)
    finally:
        release.postgres.resume()
    require_well(postgresql)


def test_a_hang_is_acted_upon_in_time(release: Release, postgresql: Target) -> None:
    targets = [node.target for node in release.ray.nodes] + [release.routers.started[0].target, postgresql]
    for target in targets:
        assert target.noticed_within_s(LIVENESS) <= NOTICED_S
        assert target.noticed_within_s(READINESS) < target.noticed_within_s(LIVENESS)


def test_every_container_that_stays_has_all_three_probes(release: Release) -> None:
    """Those above are all there are."""
    kinds = ("Deployment", "StatefulSet")
    specs = [it["spec"]["template"]["spec"] for it in release.objects if it["kind"] in kinds]
    config = release.ray.service["spec"]["rayClusterConfig"]
    specs += [it["template"]["spec"] for it in [config["headGroupSpec"], *config["workerGroupSpecs"]]]
    names = [container["name"] for spec in specs for container in spec["containers"] if set(KINDS) <= set(container)]
    assert ["postgresql", "ray-head", "ray-worker", "router"] == sorted(names)
    assert len(names) == sum(len(spec["containers"]) for spec in specs)
