"""The size of a cluster, its loss, the files of its run. The cluster itself: tests/e2e/test_engines.py."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from serving.cluster import HOST, Cluster, ClusterLost, RunFolder, free_port, logical_cpus, read_token
from serving.config import ConfigError, Deployment, parse
from serving.engine import resolve
from tests.serving.test_architecture import PARAMS

HALF = "0123456789abcdef"  # of a token


def test_a_cluster_whose_processes_live_lets_time_pass() -> None:
    Cluster("http://127.0.0.1:1", dead=list).rest()


def test_a_cluster_that_has_lost_a_process_is_lost() -> None:
    with pytest.raises(ClusterLost, match="Ray's raylet and gcs_server ended"):
        Cluster("http://127.0.0.1:1", dead=lambda: ["raylet", "gcs_server"]).rest()


def deployment(folder: Path, **more: object) -> Deployment:
    (folder / "params.json").write_text(json.dumps(PARAMS))
    return parse({"model": "pocket", "preset": "cpu", "source": str(folder), **more}, "engines.yaml")


def test_the_cluster_has_room_for_every_replica(tmp_path: Path) -> None:
    two = deployment(tmp_path, replicas=2, tensor_parallel_size=2)
    assert 2 * (1 + 2) + 1 == logical_cpus(two, resolve(two))
    scaled = deployment(tmp_path, autoscaling={"max_replicas": 3})
    assert 3 * (1 + 1) + 1 == logical_cpus(scaled, resolve(scaled))


def test_a_runs_token_is_long_and_for_its_owner_alone() -> None:
    folder = RunFolder.create()
    try:
        assert 64 == len(folder.token_file.read_text())
        assert 0o600 == folder.token_file.stat().st_mode & 0o777
        assert 0o700 == folder.path.stat().st_mode & 0o777
        longest_socket = folder.ray / "session_2026-11-22_10-14-59_709517_4194304" / "sockets" / "plasma_store"
        assert len(str(longest_socket)) <= 107
    finally:
        folder.remove()
    assert not folder.path.exists()


def test_a_free_port_is_none_that_the_kernel_gives_to_whoever_connects() -> None:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    port = free_port()
    assert not first <= port <= last
    with socket.socket() as whoever:
        whoever.bind((HOST, port))


def test_a_port_that_is_taken_is_not_free() -> None:
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_server((HOST, free_port())))


def test_a_token_made_elsewhere_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(2 * HALF + "\n")
    folder = RunFolder.create(read_token(tmp_path / "token"))
    try:
        assert 2 * HALF == folder.token_file.read_text()
        assert 0o600 == folder.token_file.stat().st_mode & 0o777
    finally:
        folder.remove()


@pytest.mark.parametrize("token", ["", "short", f"{HALF} {HALF}", f"{HALF}\n{HALF}"])
def test_a_token_that_is_none_is_refused(token: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token)
    with pytest.raises(ConfigError, match=r"--token-file: .*token must hold one token of 32 characters or more"):
        read_token(tmp_path / "token")


def test_a_token_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--token-file: .*nowhere cannot be read"):
        read_token(tmp_path / "nowhere")
