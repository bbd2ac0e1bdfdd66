"""Probes tell what does its work from what only seems to: real gRPC and HTTP servers, running and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Thread

import pytest

from serving import probe
from serving.probe import Sick
from tests.serving.fake_proc import Proc

GRPC = """
import grpc
from concurrent.futures import ThreadPoolExecutor
server = grpc.server(ThreadPoolExecutor(1))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
"""
TIMEOUT_S = 20.0  # of what answers; a loaded machine may take some
QUICK_S = 0.3  # of what never answers


@contextmanager
def grpc_server() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    process = subprocess.Popen([sys.executable, "-c", GRPC], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def http_server(status: int) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path in (probe.HEALTH, probe.GCS_HEALTH) else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def grpc_port() -> Iterator[int]:
    with grpc_server() as (port, _):
        yield port


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path / "proc")


def worker(proc: Proc, *more: str) -> int:
    return probe.main(["worker", "--timeout", str(TIMEOUT_S), *more], proc.root)


def test_a_grpc_server_that_was_stopped_does_not_answer_though_its_port_is_open() -> None:
    with grpc_server() as (port, process):
        probe.require_grpc("it", "127.0.0.1", port, TIMEOUT_S)

        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)  # until all of its threads stand still
        with pytest.raises(Sick, match=f"it does not answer at port {port}"):
            probe.require_grpc("it", "127.0.0.1", port, QUICK_S)

        process.send_signal(signal.SIGCONT)
        probe.require_grpc("it", "127.0.0.1", port, TIMEOUT_S)


def test_nobody_and_somebody_else_at_the_port_are_told() -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Sick, match="does not answer"):
        probe.require_grpc("it", "127.0.0.1", port, TIMEOUT_S)
    with http_server(200) as port, pytest.raises(Sick, match="as gRPC does"):
        probe.require_grpc("it", "127.0.0.1", port, TIMEOUT_S)


def test_a_worker_lives_by_its_raylet(proc: Proc, grpc_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == worker(proc)
    assert "no raylet runs here\n" == capsys.readouterr().out

    proc.raylet(grpc_port)
    assert 0 == worker(proc)


def test_a_raylet_without_a_known_port_is_told(proc: Proc, capsys: pytest.CaptureFixture[str]) -> None:
    proc.raylet(0)

    assert 1 == worker(proc)
    assert "start Ray with --node-manager-port" in capsys.readouterr().out


def test_a_replica_may_take_so_long_to_start(proc: Proc, grpc_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    proc.raylet(grpc_port)
    assert 0 == worker(proc, "--start-seconds", "1800")  # none has to be here

    proc.replica(age_s=1799.0)
    assert 0 == worker(proc, "--start-seconds", "1800")

    proc.replica(age_s=1900.0)
    assert 1 == worker(proc, "--start-seconds", "1800")
    assert "a replica has been starting for 1900 s, and may take 1800" in capsys.readouterr().out

    proc.listen([30000])  # it is up: whether it hangs is Serve's to find out
    assert 0 == worker(proc, "--start-seconds", "1800")


def test_a_worker_is_ready_when_a_replica_answers(
    proc: Proc, grpc_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    proc.raylet(grpc_port)
    assert 1 == worker(proc, "--replicas", "1")
    assert "no replica has started here yet" in capsys.readouterr().out
    assert 0 == worker(proc, "--replicas", "0")  # a pod that only shares in one

    with http_server(200) as port:
        proc.listen([port])
        assert 0 == worker(proc, "--replicas", "1", "--ports", f"{port}-{port}")
    assert 1 == worker(proc, "--replicas", "0", "--ports", f"{port}-{port}")


def test_a_worker_whose_replica_drains_is_not_ready(
    proc: Proc, grpc_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    proc.raylet(grpc_port)
    with http_server(503) as port:
        proc.listen([port])
        assert 1 == worker(proc, "--replicas", "1", "--ports", str(port))
    assert f"a replica answers 503 at port {port}/-/healthz" in capsys.readouterr().out


def test_a_head_lives_by_gcs_and_raylet_and_is_ready_by_its_dashboard(
    proc: Proc, grpc_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    proc.raylet(grpc_port)
    head = ["head", "--timeout", str(TIMEOUT_S), "--gcs-port", str(grpc_port)]
    with http_server(200) as port:
        assert 0 == probe.main([*head, "--dashboard", "--dashboard-port", str(port)], proc.root)
    assert 0 == probe.main(head, proc.root)
    assert 1 == probe.main([*head, "--dashboard", "--dashboard-port", str(port)], proc.root)
    assert "the dashboard does not answer" in capsys.readouterr().out
    with http_server(503) as port:
        assert 1 == probe.main([*head, "--dashboard", "--dashboard-port", str(port)], proc.root)
    assert 1 == probe.main(["head", "--timeout", str(TIMEOUT_S), "--gcs-port", str(port)], proc.root)
    assert "the GCS does not answer" in capsys.readouterr().out
