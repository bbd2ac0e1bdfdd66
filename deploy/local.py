"""The whole stack on one machine: engines under Ray and a router in front, started and stopped as one.

Rules: nothing is left running whatever happens, and that is checked; a child's death ends the start at once, with
its last words; all files of a run lie in one folder, which outlives it (logs, configuration, but no secret).
"""

import re
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy import ports, settings
from deploy.events import Event, EventFile
from deploy.problem import Problem
from deploy.processes import Child, ChildDied, end_run, marked
from deploy.router_client import RouterClient

POLL_S = 0.1
START_TIMEOUT_S = 900.0  # a replica takes about a minute on 2 idle cores, several where they are busy
ENGINES_GRACE_S = settings.DRAIN_S + 90.0  # `python -m serving` kills what is left 60 s after its drain
ROUTER_GRACE_S = settings.DRAIN_S + 5.0

Tell = Callable[[str, float], None]  # what is happening, and seconds since the start began


class StackFailed(Problem):
    """The stack did not come up, or did not stay up."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to start."""

    replicas: int = 1
    host: str = "127.0.0.1"
    port: int = 0  # the router's; 0: any free one
    folder: Path = Path(".tramontane")  # run folders are made in it
    start_timeout_s: float = START_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Commands:
    """What is run; the path of the file that each is to read is appended."""

    engines: Sequence[str] = (sys.executable, "-m", "serving", "--deployment")
    router: Sequence[str] = (sys.executable, "-m", "router", "--config")


@dataclass(frozen=True, slots=True)
class Replica:
    """One engine's own address."""

    name: str
    url: str


class Stack:
    """Engines and router of one run. `start` once; `stop` ends a whole or a half start; `hurry` cuts `stop` short."""

    def __init__(self, options: Options, tell: Tell, commands: Commands | None = None) -> None:
        """Choose names. Nothing is started or written yet.

        Args:
            options: how to start.
            tell: hears what is happening, several times a second.
            commands: exchanged by tests.
        """
        self.run = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        self.folder = (options.folder / self.run).resolve()
        self.api_key = f"sk-or-v1-{secrets.token_hex(32)}"
        self.management_key = f"sk-or-v1-{secrets.token_hex(32)}"
        self.model = settings.MODEL
        self.cluster: settings.Cluster | None = None
        self.replicas: tuple[Replica, ...] = ()
        self.left_behind: list[int] = []  # process ids that `stop` had to kill after their parents' end
        self._port = 0
        self._options = options
        self._tell = tell
        self._commands = commands or Commands()
        self._children: list[Child] = []
        self._began = 0.0

    def start(self) -> None:
        """Start engines and router; return when the router routes to every engine.

        Raises:
            Problem: the port is taken.
            StackFailed: a part ended, or the time is over.
        """
        self._began = time.monotonic()
        self._port = ports.choose(self._options.host, self._options.port)
        self.folder.mkdir(parents=True, mode=0o700)
        events = EventFile(self._start_engines().output)
        found = self._wait_for("cluster", events, "starting Ray")
        self.cluster = settings.Cluster(found["dashboard"], Path(found["token_file"]))
        self._start_router(self.cluster)
        found = self._wait_for("ready", events, "starting the engines")
        self.replicas = tuple(
            Replica(each["name"], f"http://{each['host']}:{each['port']}") for each in found["replicas"]
        )
        self._wait_for_router()

    @property
    def root_url(self) -> str:
        """The router's address, below which lie `/healthz`, `/metrics` and the rest."""
        return f"http://{self._options.host}:{self._port}"

    @property
    def base_url(self) -> str:
        """What clients of the API take as base URL."""
        return self.root_url + "/api/v1"

    @property
    def router_pid(self) -> int:
        """The router's process id; there is one once `start` has returned."""
        return next(child.pid for child in self._children if child.name == "router")

    def check(self) -> None:
        """Raise if a part has ended.

        Raises:
            StackFailed: with its last words.
        """
        death = self._death()
        if death is not None:
            raise death

    def stop(self) -> None:
        """End the router (open answers first), then the engines, then whatever is left. Again: does nothing."""
        with ExitStack() as last_to_first:
            for name in self._secrets:
                last_to_first.callback((self.folder / name).unlink, missing_ok=True)
            last_to_first.callback(self._end_rest)
            for child in self._children:
                last_to_first.callback(child.stop)

    def hurry(self) -> None:
        """Kill instead of draining; `stop` then ends what the killed leave. May be called by a signal handler in it."""
        for child in self._children:
            child.kill()

    @property
    def _secrets(self) -> dict[str, str]:
        """By the names of their files."""
        return {settings.API_KEY: self.api_key, settings.MANAGEMENT_KEY: self.management_key}

    def _start_engines(self) -> Child:
        file = self.folder / "deployment.yaml"
        file.write_text(settings.deployment(self._options.replicas))
        return self._child("engines", [*self._commands.engines, str(file)], ENGINES_GRACE_S)

    def _start_router(self, cluster: settings.Cluster) -> None:
        for name, secret in self._secrets.items():
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_text(secret)
        file = self.folder / "router.yaml"
        file.write_text(settings.router(host=self._options.host, port=self._port, folder=self.folder, cluster=cluster))
        self._child("router", [*self._commands.router, str(file)], ROUTER_GRACE_S)

    def _death(self) -> StackFailed | None:
        for child in self._children:
            try:
                child.check()
            except ChildDied as death:
                return StackFailed(str(death))
        return None

    def _child(self, name: str, command: Sequence[str], grace_s: float) -> Child:
        child = Child(name, command, environment=marked(self.run, {}), folder=self.folder, grace_s=grace_s)
        self._children.append(child)
        return child

    def _wait_for(self, wanted: str, events: EventFile, doing: str) -> Event:
        while True:
            death = self._death()  # looked for before reading on: what the dead said last is still heard
            event = events.next()
            if event is None and death is not None:
                raise death
            if event is None:
                self._pause(doing)
            elif event["event"] == wanted:
                return event
            elif event["event"] == "failed":
                raise StackFailed(f"the engines did not come up: {event['message']}\ntheir logs: {self.folder}")
            elif event["event"] == "progress":
                doing = _progress(event["message"], self._options.replicas)

    def _wait_for_router(self) -> None:
        client = RouterClient(self.root_url, self.management_key)
        while not _routes_to(client, len(self.replicas)):
            self.check()
            self._pause("waiting for the router to find the engines")

    def _pause(self, doing: str) -> None:
        passed_s = time.monotonic() - self._began
        if passed_s > self._options.start_timeout_s:
            raise StackFailed(f"not ready after {passed_s:.0f} s ({doing}); see the logs in {self.folder}")
        self._tell(doing, passed_s)
        time.sleep(POLL_S)

    def _end_rest(self) -> None:
        self.left_behind += end_run(self.run)


def _progress(message: str, replicas: int) -> str:
    ready = re.search(r"\b(\d+) ready\b", message)
    if ready is None:
        return f"engines: {message}"
    return f"engine {min(int(ready[1]) + 1, replicas)} of {replicas}: loading and warming up"


def _routes_to(client: RouterClient, replicas: int) -> bool:
    try:
        client.get("/readyz")
        pools = client.get("/status")["pools"]
    except Problem:
        return False  # not listening yet, or not ready
    return sum(len(pool["endpoints"]) for pool in pools) >= replicas
