"""What Prometheus is told: Ray's answer, asked for over HTTP, in the form of HTTP service discovery."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from deploy.engine_targets import Options, main, targets
from tests.deploy.canned import CannedRouter

ROOT = Path(__file__).parents[2]


def applications(**replicas: list[tuple[str, int]]) -> bytes:
    """As Ray's dashboard answers, as far as it is read."""
    groups = [
        {
            "app_name": name,
            "protocol": "HTTP",
            "targets": [{"name": f"SERVE_REPLICA::{host}", "ip": host, "port": port} for host, port in addresses]
            or [{"name": "SERVE_PROXY_ACTOR-1", "ip": "127.0.0.1", "port": 8000}],
        }
        for name, addresses in replicas.items()
    ]
    found = {name: {"status": "RUNNING", "message": "", "deployments": {}} for name in replicas}
    return json.dumps({"applications": found, "target_groups": groups}).encode()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("secret\n")
    return tmp_path / "token"


def options(dashboard: str, token: Path, *names: str) -> list[str]:
    found = ["--dashboard", dashboard, "--token-file", str(token)]
    return found + [part for name in names for part in ("--application", name)]


def test_each_application_is_told_with_its_replicas(canned_router: CannedRouter, token: Path) -> None:
    canned_router.body = applications(eyes=[("10.0.0.2", 30001), ("10.0.0.1", 30000)], ears=[("10.0.0.3", 30000)])
    found = targets(Options.parse(options(canned_router.url, token, "eyes", "ears")))
    assert [
        {"targets": ["10.0.0.1:30000", "10.0.0.2:30001"], "labels": {"application": "eyes"}},
        {"targets": ["10.0.0.3:30000"], "labels": {"application": "ears"}},
    ] == found
    assert {("/api/serve/applications/", "Bearer secret", b"")} == set(canned_router.asked)


def test_an_application_below_a_path_of_its_own_is_asked_there(canned_router: CannedRouter, token: Path) -> None:
    document = json.loads(applications(eyes=[("10.0.0.1", 30000)], ears=[("10.0.0.1", 30001)]))
    document["applications"]["eyes"]["route_prefix"] = "/eyes"
    document["applications"]["ears"]["route_prefix"] = "/"
    canned_router.body = json.dumps(document).encode()
    eyes, ears = targets(Options.parse(options(canned_router.url, token, "eyes", "ears")))
    assert {"application": "eyes", "__metrics_path__": "/eyes/metrics"} == eyes["labels"]
    assert {"application": "ears"} == ears["labels"]


def test_applications_that_are_not_there_or_have_no_replica_are_left_out(
    canned_router: CannedRouter, token: Path
) -> None:
    canned_router.body = applications(eyes=[])
    assert [] == targets(Options.parse(options(canned_router.url, token, "eyes", "nose")))


def test_once_says_by_its_status_whether_there_is_anybody(
    canned_router: CannedRouter, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canned_router.body = applications(eyes=[("10.0.0.1", 30000)])
    assert 0 == main([*options(canned_router.url, token, "eyes"), "--once"])
    assert [{"targets": ["10.0.0.1:30000"], "labels": {"application": "eyes"}}] == json.loads(capsys.readouterr().out)
    assert 1 == main([*options(canned_router.url, token, "nose"), "--once"])
    canned_router.status = 503
    assert 1 == main([*options(canned_router.url, token, "eyes"), "--once"])
    assert "Ray's dashboard does not tell: HTTP Error 503" in capsys.readouterr().err


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_it_serves_until_it_is_told_to_stop(canned_router: CannedRouter, token: Path) -> None:
    command = [sys.executable, "-m", "deploy.engine_targets", *options(canned_router.url, token, "eyes")]
    with subprocess.Popen([*command, "--listen", "127.0.0.1:0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        canned_router.body = applications(eyes=[("10.0.0.1", 30000)])
        assert (200, [{"targets": ["10.0.0.1:30000"], "labels": {"application": "eyes"}}]) == get(f"{url}/targets")
        assert (200, {"status": "alive"}) == get(f"{url}/healthz")
        assert 404 == get(f"{url}/")[0]
        canned_router.status = 500  # Prometheus then keeps the targets that it knows
        status, told = get(f"{url}/targets")
        assert (503, "Ray's dashboard does not tell: HTTP Error 500: Internal Server Error") == (status, told["error"])
        canned_router.status, canned_router.body = 200, b"not JSON"
        assert 503 == get(f"{url}/targets")[0]
        server.terminate()
        assert 0 == server.wait(60)


@pytest.mark.parametrize("address", ["9092", ":9092", "127.0.0.1:http", "127.0.0.1:70000"])
def test_an_address_that_is_none_is_refused(address: str, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Options.parse([*options("http://127.0.0.1:1", token, "eyes"), "--listen", address])
    assert "argument --listen: must be HOST:PORT" in capsys.readouterr().err
