"""Ray's answer about an application, read over HTTP from a server of the test's own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.error import HTTPError

import pytest

from serving.dashboard import ApplicationState, Dashboard, ReplicaAddress, parse

REPLICA = {"ip": "127.0.0.1", "port": 30001, "instance_id": "", "name": "SERVE_REPLICA::pocket#engine:pocket#abc"}
PROXY = {"ip": "127.0.0.1", "port": 8000, "instance_id": "", "name": "SERVE_PROXY_ACTOR-0123"}


def answer(targets: list[dict[str, Any]], state: str = "RUNNING", app_name: str = "pocket") -> dict[str, Any]:
    """The parts of the dashboard's answer that are looked at, with some that are not."""
    replicas = [{"replica_id": "abc", "state": state, "pid": 1}]
    deployment = {"name": "engine:pocket", "message": "slow", "replicas": replicas}
    group = {"protocol": "HTTP", "app_name": app_name, "route_prefix": "/", "targets": targets}
    application = {"status": "RUNNING", "message": "", "deployments": {"engine:pocket": deployment}}
    return {"applications": {"pocket": application}, "target_groups": [group, {**group, "protocol": "gRPC"}]}


def test_a_ready_replica_is_an_address() -> None:
    address = ReplicaAddress("SERVE_REPLICA::pocket#engine:pocket#abc", "127.0.0.1", 30001)
    assert ApplicationState("RUNNING", "slow", (), (address,)) == parse(answer([REPLICA]), "pocket")


def test_rays_own_proxy_is_no_replica() -> None:
    assert ApplicationState("RUNNING", "slow", ("abc STARTING",), ()) == parse(
        answer([PROXY], state="STARTING"), "pocket"
    )


def test_another_applications_replicas_are_not_ours() -> None:
    found = parse(answer([REPLICA], app_name="other"), "pocket")
    assert found is not None
    assert () == found.replicas


def test_an_application_that_is_not_there_is_none() -> None:
    assert parse(answer([REPLICA]), "mistral") is None


@contextmanager
def dashboard(token: str) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A dashboard's base URL, and what it was asked: method and body."""
    asked: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers["Authorization"] == f"Bearer {token}" and self.path == "/api/serve/applications/"
            sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            asked.append((self.command, json.loads(sent) if sent else None))
            body = json.dumps(answer([REPLICA])).encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_DELETE = do_GET  # noqa: N815 - the names the base class looks for

        def log_message(self, *args: Any) -> None:
            """Nothing to say."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_the_dashboard_is_asked_with_the_token() -> None:
    with dashboard("secret") as (url, _):
        assert parse(answer([REPLICA]), "pocket") == Dashboard(url, "secret").read("pocket")


def test_what_shall_run_is_declared_whole() -> None:
    with dashboard("secret") as (url, asked):
        Dashboard(url, "secret").declare([{"name": "pocket"}], ("127.0.0.1", 8000))
        Dashboard(url, "secret").end_serve()
    declared = {
        "proxy_location": "HeadOnly",
        "http_options": {"host": "127.0.0.1", "port": 8000},
        "applications": [{"name": "pocket"}],
    }
    assert [("PUT", declared), ("DELETE", None)] == asked


def test_a_wrong_token_is_an_error() -> None:
    with dashboard("secret") as (url, _), pytest.raises(HTTPError, match="401") as refused:
        Dashboard(url, "guess").read("pocket")
    refused.value.close()


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(Dashboard("http://127.0.0.1:8265", "secret"))
