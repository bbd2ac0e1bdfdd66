"""What the chart makes up is made once: an upgrade finds it in the cluster. Helm asks a server with secrets alone."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

from tests.helm.render import CHART, TIMEOUT_S, Refused, helm, parse
from tests.helm.router_pod import POCKET

Secrets = dict[str, dict[str, str]]  # their data, by their names
RESOURCE = {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["get"]}


def install(cluster: Secrets, given: Mapping[str, Any], folder: Path) -> Secrets:
    """The secrets that an installation or an upgrade in this cluster comes to."""
    values = folder / "values.yaml"
    values.write_text(yaml.safe_dump(json.loads(json.dumps(given))))
    with serving(cluster) as url:
        done = subprocess.run(
            [
                *(helm(), "template", "tramontane", str(CHART), "--namespace", "models", "--values", str(values)),
                *("--dry-run=server", "--kube-apiserver", url),
            ],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "KUBECONFIG": os.devnull, "NO_PROXY": "127.0.0.1"},
        )
    if done.returncode:
        raise Refused(done.stderr)
    return {it["metadata"]["name"]: it["data"] for it in parse(done.stdout) if it["kind"] == "Secret"}


@contextmanager
def serving(cluster: Secrets) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, answer = answer_to(self.path.partition("?")[0], cluster)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answer_to(path: str, cluster: Secrets) -> tuple[int, dict[str, Any]]:
    folder, _, name = path.rpartition("/")
    if folder == "/api/v1/namespaces/models/secrets" and name in cluster:
        return 200, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": cluster[name]}
    fixed: dict[str, dict[str, Any]] = {
        "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [RESOURCE]},
    }
    if path in fixed:
        return 200, fixed[path]
    return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


def test_an_upgrade_keeps_every_secret_that_the_installation_made_up(tmp_path: Path) -> None:
    for given in (
        {"engines": {"pocket": POCKET}, "database": {"embedded": {"enabled": True}}},
        {"engines": {"pocket": POCKET}, "router": {"callers": ["a", "b"]}},
    ):
        made = install({}, given, tmp_path)
        assert {"tramontane-management-key", "tramontane-mesh"} < set(made)

        assert made == install(made, given, tmp_path)
        assert made != install({}, given, tmp_path)


def test_a_caller_more_changes_no_other_callers_key(tmp_path: Path) -> None:
    before = install({}, {"engines": {"pocket": POCKET}, "router": {"callers": ["a", "b"]}}, tmp_path)
    after = install(before, {"engines": {"pocket": POCKET}, "router": {"callers": ["b", "c"]}}, tmp_path)

    assert ["b", "c"] == list(after["tramontane-callers"])
    assert before["tramontane-callers"]["b"] == after["tramontane-callers"]["b"]
