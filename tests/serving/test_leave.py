"""A pod ends when its engines have."""

import shutil
import sys
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from serving import leave
from serving.leave import World
from tests.serving.fake_proc import Proc


class Node:
    """A Ray node of a test: what was asked of the head, and what happens as time passes."""

    def __init__(self, root: Path, *, head_answers: bool = True, busy_for: int = 0) -> None:
        self.proc = Proc(root / "proc")
        self.asked: list[Sequence[str]] = []
        self.told: list[str] = []
        self.now_s = 0.0
        self.ends: dict[float, Path] = {}
        self._head_answers, self._busy_for = head_answers, busy_for

    def world(self) -> World:
        return World(self._run, self._is_busy, lambda: self.now_s, self._sleep, self.told.append, self.proc.root)

    def _run(self, words: Sequence[str]) -> bool:
        self.asked.append(words)
        return self._head_answers

    def _is_busy(self) -> bool:
        self._busy_for -= 1
        return self._busy_for >= 0

    def _sleep(self, seconds: float) -> None:
        self.now_s += seconds
        for at in [at for at in self.ends if at <= self.now_s]:
            shutil.rmtree(self.ends.pop(at))


def test_a_node_without_engines_goes_at_once(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.proc.raylet(6380)

    assert leave.leave(345.0, node.world())
    assert ([], 0.0) == (node.asked, node.now_s)


def test_ray_drains_the_node_and_the_pod_waits_for_its_replica(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.proc.raylet(6380, "ab12")
    node.ends[40.0] = node.proc.replica()

    assert leave.leave(345.0, node.world())

    assert 40.0 == node.now_s
    (words,) = node.asked
    assert ["ray", "drain-node", "--address", "head:6379", "--node-id", "ab12"] == list(words[:6])
    assert ["DRAIN_NODE_REASON_PREEMPTION", "345"] == [words[7], words[-1]]


def test_a_node_that_shares_in_a_replica_waits_for_it(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.proc.raylet(6380)
    node.ends[10.0] = node.proc.add("ray::RayWorkerWrapper")

    assert leave.leave(345.0, node.world())
    assert 10.0 == node.now_s


def test_time_that_is_over_is_said(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.proc.raylet(6380)
    node.proc.replica()

    assert not leave.leave(20.0, node.world())
    assert (20.0, "replicas still run after 20 s") == (node.now_s, node.told[-1])


@pytest.mark.parametrize("has_raylet", [True, False])
def test_without_a_head_running_requests_are_waited_for(tmp_path: Path, has_raylet: bool) -> None:
    node = Node(tmp_path, head_answers=False, busy_for=6)
    if has_raylet:
        node.proc.raylet(6380)
    node.proc.replica()

    assert leave.leave(345.0, node.world())
    assert 3.0 == node.now_s
    assert ["the head cannot be asked; waiting for running requests"] == node.told


def test_requests_are_counted_by_vllms_metrics() -> None:
    text = 'vllm:num_requests_running{engine="0"} 2.0\nvllm:num_requests_waiting{engine="0"} 1.0\nvllm:other 7\n'

    assert 3.0 == leave.requests_of(text)
    assert 0.0 == leave.requests_of("")


def test_an_engine_is_asked_below_its_prefix(tmp_path: Path) -> None:
    answers = {"/-/routes": b'{"/pocket":"pocket"}', "/pocket/metrics": b"vllm:num_requests_running 1.0\n"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    proc = Proc(tmp_path / "proc")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        port = server.server_address[1]
        proc.listen([port])
        ports = range(port, port + 1)
        assert leave.is_busy(ports, proc.root)
        answers["/pocket/metrics"] = b"vllm:num_requests_running 0.0\n"
        assert not leave.is_busy(ports, proc.root)
        server.shutdown()
        thread.join()
    assert not leave.is_busy(ports, proc.root)  # it is gone


def test_a_command_that_fails_or_is_not_there_is_no_drain(capfd: pytest.CaptureFixture[str]) -> None:
    assert leave.run([sys.executable, "-c", ""])
    assert not leave.run([sys.executable, "-c", "raise SystemExit(1)"])
    assert not leave.run(["/no/such/program"])
    assert "No such file" in capfd.readouterr().out
