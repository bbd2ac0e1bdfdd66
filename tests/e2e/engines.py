"""`python -m serving` as a child of the tests: its events, its replicas, its processes."""

import json
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODEL = "tramontane/pocket"
START_S = 400.0  # an engine takes 45 to 60 s on two idle cores, and much longer on busy ones
ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Hello."}], "temperature": 0}


def until(found: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Look again and again until something is so.

    Raises:
        TimeoutError: it is not, after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s:g} s: {what}")
        time.sleep(0.1)


@dataclass
class Engines:
    """One run of `python -m serving`."""

    process: subprocess.Popen[str]
    events: queue.SimpleQueue[Mapping[str, Any]]
    files: Path | None = None  # of the run: kept by it after a failure, for its logs

    def wait_for(self, name: str, timeout_s: float) -> Mapping[str, Any]:
        """The next event of this name; those before it are passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            if event["event"] == "cluster":
                self.files = Path(event["token_file"]).parent
            if event["event"] == name:
                return event
            assert event["event"] not in ("failed", "stopped"), event

    def processes(self, *names: str) -> list[psutil.Process]:
        """All that came of the run and still is there, or those with one of these words in the title."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                title = " ".join(process.cmdline())
            except psutil.NoSuchProcess:
                continue
            if not names or any(name in title for name in names):
                found.append(process)
        return found


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; an ended one that nobody has reaped yet does not."""

    def runs(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:  # it ended between the two questions
            return False

    return [process for process in processes if runs(process)]


@contextmanager
def engines(folder: Path, deployment: Mapping[str, Any]) -> Iterator[Engines]:
    """Start the engines of a deployment on the pocket model; whatever the test left running is ended."""
    file = folder / "deployment.yaml"
    file.write_text(yaml.safe_dump({"model": "pocket", "preset": "cpu", **deployment}))
    with (folder / "serving.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving", "--deployment", str(file)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    events: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    output = process.stdout
    assert output is not None
    reader = threading.Thread(target=lambda: [events.put(json.loads(line)) for line in output], daemon=True)
    reader.start()
    run = Engines(process, events)
    try:
        yield run
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)  # the second one does not drain
                process.wait(60)
        reader.join(10)
        output.close()
        if run.files is not None and run.files.exists():
            shutil.rmtree(run.files)


@dataclass(frozen=True)
class Cluster:
    """The cluster's dashboard, asked the way the router does."""

    base_url: str
    token: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Cluster":
        """From the event "cluster" or "ready"."""
        return cls(event["dashboard"], Path(event["token_file"]).read_text())

    def replicas(self) -> dict[str, str]:
        """Base URLs of the replicas that are announced, by name."""
        answer = httpx.get(
            f"{self.base_url}/api/serve/applications/", headers={"Authorization": f"Bearer {self.token}"}, timeout=30
        )
        return {
            target["name"]: f"http://{target['ip']}:{target['port']}"
            for group in answer.raise_for_status().json()["target_groups"]
            for target in group["targets"]
            if target["name"].startswith("SERVE_REPLICA::")
        }
