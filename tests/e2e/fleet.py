"""The real stack as end-to-end tests see it: where to ask, which processes there are, whether it is whole."""

import time
from dataclasses import dataclass
from typing import Any

import psutil

from deploy.local import Stack
from deploy.processes import of_run
from deploy.router_client import RouterClient
from serving.dashboard import ApplicationState, Dashboard, ReplicaAddress

POLL_S = 0.2
WHOLE_TIMEOUT_S = 300.0  # a replica takes one to two minutes to come back on 2 busy cores


@dataclass(frozen=True, slots=True)
class Engine:
    """One replica: its direct address and its processes."""

    name: str
    url: str
    pid: int  # the Ray worker that speaks HTTP
    core_pid: int  # vLLM's EngineCore, which computes


class Fleet:
    """One router and its engines."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.base_url = stack.base_url
        self.root_url = stack.root_url
        self.api_key = stack.api_key
        self.model = stack.model
        self.management_key = stack.management_key
        self.router = RouterClient(stack.base_url, stack.management_key)
        self.size = len(stack.replicas)

    @property
    def headers(self) -> dict[str, str]:
        """What a request to the router must carry."""
        return {"Authorization": f"Bearer {self.api_key}"}

    @property
    def router_pid(self) -> int:
        return self._stack.router_pid

    @property
    def dashboard(self) -> str:
        """Base URL of Ray's dashboard."""
        assert self._stack.cluster is not None
        return self._stack.cluster.dashboard

    @property
    def token(self) -> str:
        """The Ray cluster's token."""
        assert self._stack.cluster is not None
        return self._stack.cluster.token_file.read_text().strip()

    def engines(self) -> list[Engine]:
        """The replicas that are ready now, as Ray tells."""
        state = self._application()
        return [self._engine(replica) for replica in state.replicas] if state is not None else []

    def processes(self) -> list[int]:
        """All processes of the run."""
        return of_run(self._stack.run)

    def endpoints(self) -> list[dict[str, Any]]:
        """The endpoints as the router sees them."""
        return [endpoint for pool in self.router.get("/status")["pools"] for endpoint in pool["endpoints"]]

    def wait_until_whole(self) -> None:
        """Return when Ray has all replicas and the router sends requests to every one of them.

        Raises:
            TimeoutError: not within WHOLE_TIMEOUT_S.
        """
        deadline = time.monotonic() + WHOLE_TIMEOUT_S
        while True:
            known = {endpoint["url"] for endpoint in self.endpoints() if endpoint["state"] == "closed"}
            state = self._application()
            ready = {f"http://{each.host}:{each.port}" for each in state.replicas} if state is not None else set()
            if len(ready) >= self.size and ready == known:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"ready: {sorted(ready)}; routed to: {sorted(known)}; wanted: {self.size}")
            time.sleep(POLL_S)

    def _application(self) -> ApplicationState | None:
        return Dashboard(self.dashboard, self.token).read("pocket")

    def _engine(self, replica: ReplicaAddress) -> Engine:
        worker = self._listener(replica.port)
        (core,) = (child for child in worker.children(recursive=True) if "EngineCore" in " ".join(child.cmdline()))
        return Engine(replica.name, f"http://{replica.host}:{replica.port}", worker.pid, core.pid)

    def _listener(self, port: int) -> psutil.Process:
        for pid in self.processes():
            process = psutil.Process(pid)
            if any(each.laddr.port == port and each.status == "LISTEN" for each in process.net_connections("tcp")):
                return process
        raise LookupError(f"no process of the run listens on port {port}")
