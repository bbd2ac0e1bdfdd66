"""A Ray cluster of one machine, from start to end, and the files of its run.

Used by `serving.__main__`, in a process of its own that `serving.processes.keep` watches over. The environment must
already hold `serving.environment.one_machine`: Ray reads it at import, so Ray is imported inside functions here.
"""

import random
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from serving.config import ConfigError, Deployment
from serving.engine import Engine

HOST = "127.0.0.1"
POLL_S = 0.5
# Ray's workers take those below, replicas those above, and from 32768 the kernel gives them to anybody who connects
_PORTS = range(20_000, 30_000)
TOKEN_CHARS = 32  # of a token at least: 128 random bits in hexadecimal digits
OBJECT_STORE_BYTES = 200_000_000  # nothing large is passed between processes; Ray would take a third of the memory


class ClusterLost(RuntimeError):
    """A process that Ray cannot do without has ended; nobody is left who could drain or stop anything."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster."""

    dashboard: str  # base URL
    dead: Callable[[], list[str]]  # names of Ray's own processes that have ended

    def rest(self) -> None:
        """Let half a second pass.

        Raises:
            ClusterLost: the cluster is gone.
        """
        time.sleep(POLL_S)
        if dead := self.dead():
            raise ClusterLost(f"Ray's {' and '.join(dead)} ended")


def read_token(path: Path) -> str:
    """A cluster's token that was made elsewhere, so that others may have it too.

    Raises:
        ConfigError: there is none, or it is one that could be guessed.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file: {path} cannot be read: {error}") from None
    if len(token) < TOKEN_CHARS or not token.isprintable() or " " in token:
        raise ConfigError(
            f"--token-file: {path} must hold one token of {TOKEN_CHARS} characters or more, without blanks;"
            f" for example: openssl rand -hex 32 > {path}"
        )
    return token


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Files of one run: the cluster's token and Ray's own folder, logs included."""

    path: Path

    @property
    def token_file(self) -> Path:
        return self.path / "token"

    @property
    def ray(self) -> Path:
        return self.path / "ray"

    @classmethod
    def create(cls, token: str | None = None) -> "RunFolder":
        """Make the folder, readable by this user alone, with a token: the given one, or a fresh one.

        Under /tmp and with a short name: Ray puts sockets into it, whose paths may have 107 characters at most.
        """
        import secrets

        folder = cls(Path(tempfile.mkdtemp(prefix="tramontane-", dir="/tmp")))
        folder.token_file.touch(mode=0o600)
        folder.token_file.write_text(token or secrets.token_hex(32), encoding="ascii")
        return folder

    def remove(self) -> None:
        shutil.rmtree(self.path)


def free_port(host: str = HOST) -> int:
    """A TCP port that nobody listens on, nor gets by chance before it is listened on.

    Raises:
        OSError: a hundred of them were taken.
    """
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            return port
    raise OSError(f"no port between {_PORTS[0]} and {_PORTS[-1]} is free on {host}")


def logical_cpus(deployment: Deployment, engine: Engine) -> int:
    """CPUs Ray must believe in to place every replica; the real ones are shared as they are."""
    replicas = deployment.autoscaling.max_replicas if deployment.autoscaling else deployment.replicas
    each = deployment.cpus_per_replica + sum(bundle["CPU"] for bundle in engine.placement.bundles)
    return int(replicas * each) + 1


@contextmanager
def ray_cluster(folder: RunFolder, cpus: int, dashboard_port: int) -> Iterator[Cluster]:
    """Run a cluster."""
    import ray

    try:
        context = ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=True,
            dashboard_host=HOST,
            dashboard_port=dashboard_port or free_port(),
            object_store_memory=OBJECT_STORE_BYTES,
            log_to_driver=False,
            _metrics_export_port=free_port(),
            _temp_dir=str(folder.ray),
        )
        node = ray._private.worker._global_node
        yield Cluster(
            dashboard=f"http://{context.dashboard_url}", dead=lambda: [name for name, _ in node.dead_processes()]
        )
    except ClusterLost:
        raise
    except BaseException:
        ray.shutdown()
        raise
    else:
        ray.shutdown()
