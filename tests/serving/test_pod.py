"""What runs here, by /proc."""

import os
import socket
from pathlib import Path

from serving import pod
from tests.serving.fake_proc import Proc


def test_this_process_is_among_those_that_run() -> None:
    (found,) = (each for each in pod.processes() if each.pid == os.getpid())

    assert found.age_s >= 0
    assert found.arguments


def test_ports_that_somebody_listens_at_are_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert [("127.0.0.1", port)] == pod.listening(range(port, port + 1))
    assert [] == pod.listening(range(port, port + 1))


def test_a_listener_of_ipv6_is_seen_too() -> None:
    if not socket.has_dualstack_ipv6():
        return
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]

        assert [("::1", port)] == pod.listening(range(port, port + 1))


def test_one_that_listens_everywhere_is_asked_here(tmp_path: Path) -> None:
    proc = Proc(tmp_path / "proc")
    proc.listen([30001, 30000, 29999])

    assert [("127.0.0.1", 30000), ("127.0.0.1", 30001)] == pod.listening(range(30000, 31001), proc.root)


def test_raylets_and_engines_are_told_from_the_rest(tmp_path: Path) -> None:
    proc = Proc(tmp_path / "proc")
    proc.raylet(6380)
    proc.add("/usr/bin/python", "raylet", "--node_id=no")
    proc.replica(age_s=120.0)
    proc.add("ray::RayWorkerWrapper")
    proc.add("ray::IDLE")
    proc.add("ray::ServeReplica:gone", state="Z")
    proc.add()  # a kernel's thread has no arguments
    (proc.root / "999999").mkdir()  # one that goes while it is looked at

    assert [pod.Raylet("ab12", "head:6379", 6380)] == pod.raylets(proc.root)
    (replica,) = pod.replicas(proc.root)
    assert 119 < replica.age_s < 121
    assert 2 == len(pod.engines(proc.root))
