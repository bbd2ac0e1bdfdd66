"""Nobody comes into the Ray cluster without its token: not by the dashboard, nor by any other of its ports.

Whoever may speak to Ray may run code in it (CVE-2023-48022). A real cluster, without engines.
"""

import asyncio
import logging
from collections.abc import Iterator

import grpc
import httpx
import psutil
import pytest

from router.upstream.directory import Directory
from router.upstream.ray_discovery import RayDiscovery
from serving.dashboard import Dashboard
from tests.e2e.engines import until
from tests.e2e.ray_alone import RayAlone, ray_alone

LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
WRONG = "f" * 64
AGENT_PORT = 52365  # of the HTTP API that runs on every node; Ray's own fixed choice
# A method of each gRPC service, by the process that offers it. All but one read; an exit that is let in would be seen.
METHODS = {
    "gcs_server": ("JobInfoGcsService/GetAllJobInfo", "InternalKVGcsService/InternalKVKeys"),
    "raylet": ("NodeManagerService/GetNodeStats", "ObjectManagerService/Push"),
    "ray::DashboardAgent": ("ReporterService/GetTraceback",),
    "ray::IDLE": ("CoreWorkerService/Exit",),
}


@pytest.fixture(scope="module")
def ray() -> Iterator[RayAlone]:
    with ray_alone({"RAY_AUTH_TOKEN": "of another cluster", "RAY_AUTH_MODE": "disabled"}) as cluster:
        until(lambda: AGENT_PORT in {port for _, _, port in listening(cluster)}, 60, "the node's agent listens")
        until(lambda: "ray::IDLE" in {name for name, _, _ in listening(cluster)}, 60, "a worker listens")
        yield cluster


def listening(cluster: RayAlone) -> list[tuple[str, str, int]]:
    """All TCP ports on which the cluster listens: process's name, address, port."""
    found = []
    for process in cluster.processes():
        try:
            name = process.name()
            sockets = process.net_connections("tcp")
        except psutil.NoSuchProcess:
            continue
        found += [(name, each.laddr.ip, each.laddr.port) for each in sockets if each.status == psutil.CONN_LISTEN]
    return found


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def statuses(url: str, method: str, token: str) -> list[int]:
    """What is answered to no token, a wrong one, and `token`."""
    return [httpx.request(method, url, headers=bearer(each), timeout=30).status_code for each in ("", WRONG, token)]


def test_everything_listens_on_the_loopback_address_alone(ray: RayAlone) -> None:
    found = listening(ray)
    assert {"gcs_server", "raylet"} <= {name for name, _, _ in found}
    assert LOOPBACK >= {address for _, address, _ in found}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/serve/applications/"),
        ("GET", "/api/jobs/"),
        ("GET", "/nodes?view=summary"),
        ("GET", "/api/v0/actors"),
        ("GET", "/api/v0/logs"),
        ("GET", "/api/cluster_status"),
    ],
)
def test_the_dashboard_tells_nothing_without_the_token(ray: RayAlone, method: str, path: str) -> None:
    without, wrong, right = statuses(ray.dashboard + path, method, ray.token)
    assert (401, 403) == (without, wrong)
    assert right not in (401, 403)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/jobs/", {"entrypoint": "id"}),
        ("PUT", "/api/serve/applications/", {"applications": []}),
        ("DELETE", "/api/serve/applications/", None),
        ("POST", "/api/packages/", None),
    ],
)
@pytest.mark.parametrize("agent", ["", "Mozilla/5.0"], ids=["program", "browser"])
def test_the_dashboard_does_nothing_without_the_token(
    ray: RayAlone, method: str, path: str, body: object, agent: str
) -> None:
    """The name of the client's program decides nothing (CVE-2025-62593)."""
    for token, status in (("", 401), (WRONG, 403), (ray.token[:-1], 403)):
        headers = bearer(token) | {"User-Agent": agent}
        answer = httpx.request(method, ray.dashboard + path, json=body, headers=headers, timeout=30)
        assert status == answer.status_code
        assert ray.token not in answer.text
    jobs = httpx.get(ray.dashboard + "/api/jobs/", headers=bearer(ray.token), timeout=30).json()
    assert {"DRIVER"} == {job["type"] for job in jobs}


def test_the_nodes_agents_want_the_token_too(ray: RayAlone) -> None:
    assert [401, 403] == statuses(f"http://127.0.0.1:{AGENT_PORT}/api/job_agent/jobs/", "POST", ray.token)[:2]
    (port,) = {port for name, _, port in listening(ray) if name.startswith("ray::RuntimeEnv")}
    assert [401, 403] == statuses(f"http://127.0.0.1:{port}/get_or_create_runtime_env", "POST", ray.token)[:2]


def grpc_code(port: int, method: str, token: str) -> grpc.StatusCode:
    metadata = [(name.lower(), value) for name, value in bearer(token).items()]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            channel.unary_unary(f"/ray.rpc.{method}")(b"", timeout=20, metadata=metadata)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
    return grpc.StatusCode.OK


@pytest.mark.parametrize("process", METHODS)
def test_no_process_of_ray_obeys_without_the_token(ray: RayAlone, process: str) -> None:
    ports = {port for name, _, port in listening(ray) if name == process}
    for method in METHODS[process]:
        for token in ("", WRONG):
            codes = {grpc_code(port, method, token) for port in ports} - {grpc.StatusCode.UNIMPLEMENTED}
            assert codes - {grpc.StatusCode.UNAVAILABLE} == {grpc.StatusCode.UNAUTHENTICATED}, method


def test_the_gcs_answers_to_the_token(ray: RayAlone) -> None:
    (port,) = {port for name, _, port in listening(ray) if name == "gcs_server"}
    assert grpc.StatusCode.OK is grpc_code(port, "JobInfoGcsService/GetAllJobInfo", ray.token)


def test_the_token_stands_in_its_file_and_nowhere_else(ray: RayAlone) -> None:
    assert 0o600 == ray.folder.token_file.stat().st_mode & 0o777
    for process in ray.processes():
        try:
            assert ray.token not in " ".join(process.cmdline())
            assert ray.token not in " ".join(process.environ().values())
        except psutil.NoSuchProcess:
            continue
    files = [file for file in ray.folder.ray.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(files) > 10
    assert [] == [file for file in files if ray.token.encode() in file.read_bytes()]


def test_the_router_and_the_engines_program_carry_the_token(ray: RayAlone, caplog: pytest.LogCaptureFixture) -> None:
    tokens = ["", WRONG, ray.token]

    async def main() -> None:
        discovery = RayDiscovery(
            directory=Directory(clock=lambda: 0.0),
            pool_name="p",
            dashboard=ray.dashboard,
            application="pocket",
            token=lambda: tokens.pop(0) or None,
            timeout_s=30.0,
        )
        for _ in range(3):
            await discovery.poll()

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
    without, wrong, right = (record.getMessage() for record in caplog.records)
    assert "wants a token, and none is configured (HTTP 401)" in without
    assert "refused its token (HTTP 403)" in wrong
    assert "Ray Serve is not running" in right
    assert not {WRONG, ray.token} & set(caplog.text.split())
    assert Dashboard(ray.dashboard, ray.token).read("pocket") is None
