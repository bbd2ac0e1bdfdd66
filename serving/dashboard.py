"""What Ray's dashboard is told and says about applications: which there shall be, and where their replicas answer.

Over HTTP with the cluster's token, the way anyone else must ask; nothing here needs Ray installed.
"""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PATH = "/api/serve/applications/"
REPLICA = "SERVE_REPLICA::"  # while an application has no replica, its targets are Ray's own proxies instead


@dataclass(frozen=True, slots=True)
class ReplicaAddress:
    """One replica that is ready."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """One application, as Ray Serve sees it."""

    status: str  # Ray's word: NOT_STARTED, DEPLOYING, RUNNING, UNHEALTHY, DEPLOY_FAILED, DELETING
    message: str
    starting: tuple[str, ...]  # replicas that are not ready, each with Ray's word for its state
    replicas: tuple[ReplicaAddress, ...]
    route_prefix: str = ""  # each replica's API lies below it: `/eyes`, or nothing


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard of one cluster.

    Args:
        base_url: such as `http://127.0.0.1:8265`.
        token: the cluster's.
        timeout_s: seconds an answer may take.
    """

    base_url: str
    token: str = field(repr=False)
    timeout_s: float = 30.0

    def read(self, application: str) -> ApplicationState | None:
        """Ask for the state of one application.

        Returns:
            None if there is no such application.

        Raises:
            OSError: the dashboard cannot be reached or refuses.
        """
        return parse(json.loads(self._ask("GET")), application)

    def declare(self, applications: Sequence[Mapping[str, Any]], proxy: tuple[str, int]) -> None:
        """Say which applications there shall be; Ray starts, changes and drains them until it is so.

        Args:
            applications: as in the `applications` of a Serve config file.
            proxy: address of Ray's own proxy, which nobody asks; its host is also the replicas'.

        Raises:
            OSError: the dashboard cannot be reached or refuses.
        """
        host, port = proxy
        options = {"proxy_location": "HeadOnly", "http_options": {"host": host, "port": port}}
        self._ask("PUT", {**options, "applications": list(applications)})

    def end_serve(self) -> None:
        """End Ray Serve and whatever runs on it.

        Raises:
            OSError: the dashboard cannot be reached or refuses.
        """
        self._ask("DELETE")

    def _ask(self, method: str, body: Mapping[str, Any] | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + PATH, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
            return bytes(answer.read())


def parse(answer: Mapping[str, Any], application: str) -> ApplicationState | None:
    """Pick one application out of the dashboard's answer."""
    found = answer["applications"].get(application)
    if found is None:
        return None
    starting = [
        f"{replica['replica_id']} {replica['state']}"
        for deployment in found["deployments"].values()
        for replica in deployment["replicas"]
        if replica["state"] != "RUNNING"
    ]
    messages = {found["message"]: None} | {each["message"]: None for each in found["deployments"].values()}
    return ApplicationState(
        status=found["status"],
        message="\n".join(message for message in messages if message),
        starting=tuple(starting),
        replicas=tuple(
            ReplicaAddress(name=target["name"], host=target["ip"], port=target["port"])
            for group in answer.get("target_groups", [])
            if group.get("app_name") == application and group["protocol"] == "HTTP"
            for target in group["targets"]
            if target["name"].startswith(REPLICA)
        ),
        route_prefix=(found.get("route_prefix") or "").rstrip("/"),
    )
