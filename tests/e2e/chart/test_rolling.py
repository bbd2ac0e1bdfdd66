"""A drain rehearsal with the chart's own timings: nobody notices that every router and every engine is replaced.

Three routers behind a TCP balancer, two engines, constant load. Routers are replaced as the rendered Deployment's
strategy says, with the rendered grace; engines by a change of their application in place, as `helm upgrade` makes it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import yaml

from deploy.router_client import RouterClient
from tests.e2e.chart.balancer import Balancer, balancer
from tests.e2e.chart.load import Client, Load, Seen, long_one, questions
from tests.e2e.chart.release import APPLICATION, Release, rendered
from tests.e2e.chart.routers import Router, Routers
from tests.e2e.engines import MODEL
from tests.helm.render import CHART, one

ROUTERS, ENGINES = 3, 2
QUIET_S = 5.0  # of load before and after, to compare with
TASKS = ("shape", "number", "recall")  # two about a picture


def values(**environment: str) -> dict[str, object]:
    """Three routers that leave as the chart's own values say, cpu-pocket's being for one on one node; two engines."""
    deployment = {"replicas": ENGINES, "environment": environment}
    return {
        "router": {"replicas": ROUTERS, "drain": own_drain()},
        "engines": {"pocket": {"deployment": deployment if environment else {"replicas": ENGINES}}},
    }


def own_drain() -> dict[str, int]:
    """The chart's own."""
    found: dict[str, int] = yaml.safe_load((CHART / "values.yaml").read_text())["router"]["drain"]
    return found


@dataclass
class Report:
    """What each phase was like, as a table."""

    load: Load
    retries: dict[int, float] = field(default_factory=dict)  # of a router, by its number
    lines: list[str] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self.load.phase, before, began = name, self.load.seen.copy(), time.monotonic()
        try:
            yield
        finally:
            self._add(name, self.load.seen.taken_from(before), time.monotonic() - began)

    def look(self, router: Router) -> None:
        """Before it goes: its counters go with it."""
        self.retries[router.number] = router.metric("tramontane_retries_total")

    def show(self) -> str:
        head = f"{'phase':<24}{'seconds':>9}{'requests':>10}{'streams':>9}{'failures':>10}{'longest ttft':>14}"
        return "\n".join(["", head, *self.lines, f"retries within routers: {sum(self.retries.values()):.0f}"])

    def _add(self, name: str, seen: Seen, took_s: float) -> None:
        longest = f"{max(seen.first_s, default=0.0):.2f} s"
        counts = f"{seen.asked:>10}{seen.streams:>9}{len(seen.failures):>10}{longest:>14}"
        self.lines.append(f"{name:<24}{took_s:>9.1f}{counts}")


def clients(load: Load) -> list[Client]:
    """Three at a time: two cores carry no more while engines start beside them."""
    known = {task: load.known(questions(MODEL, task, 6)) for task in TASKS}
    assert all(known.values()), known
    short = [question for asked in zip(*known.values(), strict=False) for question in asked]
    return [
        Client(short, (False, True), keeps=True, pause_s=0.5),
        Client(short, (True, False), keeps=False, pause_s=0.5),
        Client([long_one(MODEL)], (True,), keeps=True, pause_s=3.0),
    ]


def roll_routers(routers: Routers, report: Report) -> None:
    """As a Deployment does with one more and none less: the next is ready before the last is told to go."""
    strategy = routers.deployment["strategy"]["rollingUpdate"]
    assert (1, 0) == (strategy["maxSurge"], strategy["maxUnavailable"])
    for number, old in enumerate(routers.started[-ROUTERS:], 1):
        with report.phase(f"router {number} of {ROUTERS}"):
            routers.wait(routers.start())
            report.look(old)
            routers.end(old)


def roll_engines(release: Release) -> None:
    """A variable more, which only new processes can have."""
    state = release.ray.dashboard.read(APPLICATION)
    assert state is not None
    release.upgrade(values(TRAMONTANE_EDITION="second"))
    release.ray.apply(release.objects)
    release.ray.wait(APPLICATION, ENGINES, former=frozenset(replica.name for replica in state.replicas))


def scale_up(release: Release) -> None:
    """`helm upgrade` to more of both. The engine that is there stays."""
    first = release.ray.dashboard.read(APPLICATION)
    assert first is not None
    release.upgrade(values())
    release.ray.start_worker()
    release.ray.apply(release.objects)
    (former,) = release.routers.started
    for router in [release.routers.start() for _ in range(ROUTERS)]:
        release.routers.wait(router)
    release.routers.end(former)
    both = release.ray.wait(APPLICATION, ENGINES)
    assert {replica.name for replica in first.replicas} < {replica.name for replica in both.replicas}


def rehearse(release: Release, service: Balancer, key: str) -> Report:
    routers, load = release.routers, Load(service.url, key)
    report = Report(load)
    service.wait(routers.started[-ROUTERS:])
    with load.running(clients(load)):
        with report.phase("before"):
            time.sleep(QUIET_S)
        roll_routers(routers, report)
        with report.phase(f"{ENGINES} engines"):
            roll_engines(release)
        with report.phase("after"):
            time.sleep(QUIET_S)
    for router in routers.started[-ROUTERS:]:
        report.look(router)
    return report


@pytest.mark.disruptive
def test_no_request_is_lost_while_all_routers_and_engines_are_replaced(release: Release) -> None:
    scale_up(release)
    admin = release.routers.started[-1].admin_url
    manager = RouterClient(admin, release.secret("tramontane-management-key", "management-key"))
    key = manager.send("POST", "/api/v1/keys", {"name": "rehearsal"})["key"]
    with balancer(release.routers) as service:
        report = rehearse(release, service, key)
    print(report.show(), flush=True)
    seen = report.load.seen
    assert [] == seen.failures
    assert seen.asked == seen.answered


def test_balancers_know_that_a_router_leaves_before_it_takes_no_more_connections() -> None:
    """Also where nobody deletes the pod, so that its probe alone tells."""
    pod = one(rendered(values()), "Deployment")["spec"]["template"]["spec"]
    probe = pod["containers"][0]["readinessProbe"]
    noticed_s = probe["failureThreshold"] * probe["periodSeconds"] + probe["timeoutSeconds"]
    assert noticed_s <= own_drain()["leaveSeconds"]
