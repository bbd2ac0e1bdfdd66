"""The process that holds the Ray cluster; started by `serving.__main__` with its environment, never by hand.

Tells what happens as JSON lines on standard output; the keeper above it deals with whatever this leaves.
"""

import os
import signal
import sys
import threading
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType

from serving.application import DeploymentFailed, running_application, wait_until_ready
from serving.arguments import Arguments
from serving.cluster import ClusterLost, RunFolder, logical_cpus, ray_cluster
from serving.config import load
from serving.dashboard import Dashboard
from serving.engine import resolve
from serving.events import Tell, claim_standard_output, tell
from serving.processes import stop_with_keeper


class Stop(BaseException):
    """Somebody asked this process to end, while it was starting."""


def main(arguments: Arguments, folder: RunFolder, keeper: int, tell: Tell) -> int:
    """Start, say where the replicas are, wait for a signal, stop.

    Returns:
        0 after a signal, 1 if the application did not come up, or the cluster was lost.
    """
    deployment = arguments.apply(load(arguments.deployment))
    engine = resolve(deployment)
    name = deployment.application or deployment.model
    wanted = deployment.autoscaling.min_replicas if deployment.autoscaling else deployment.replicas
    stopping = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if not stopping.is_set():  # a second one must not interrupt the draining; the keeper kills if it must
            stopping.set()
            raise Stop

    try:
        signal.signal(signal.SIGTERM, on_signal)
        stop_with_keeper(keeper)
        with ray_cluster(folder, logical_cpus(deployment, engine), arguments.dashboard_port) as cluster:
            signal.signal(signal.SIGTERM, on_signal)  # Ray puts its own in its place
            tell("cluster", dashboard=cluster.dashboard, token_file=str(folder.token_file), logs=str(folder.ray))
            dashboard = Dashboard(cluster.dashboard, folder.token_file.read_text(encoding="ascii"))
            with running_application(dashboard, deployment, name, lambda: tell("stopping")):
                state = wait_until_ready(
                    lambda: dashboard.read(name),
                    wanted,
                    arguments.start_timeout_s,
                    lambda news: tell("progress", message=news),
                    cluster.rest,
                )
                tell(
                    "ready",
                    dashboard=cluster.dashboard,
                    token_file=str(folder.token_file),
                    application=name,
                    model=engine.model_id,
                    replicas=[asdict(replica) for replica in state.replicas],
                )
                while True:
                    cluster.rest()
    except (Stop, SystemExit):  # the second is what Ray's handler raises, which is in place while Ray starts
        return 0
    except DeploymentFailed as error:
        tell("failed", message=str(error))
        return 1
    except ClusterLost as error:
        tell("failed", message=str(error))
        os._exit(1)  # at a normal exit Ray would wait for the cluster it has lost


if __name__ == "__main__":
    output = claim_standard_output()
    pid, path, *rest = sys.argv[1:]
    sys.exit(main(Arguments.parse(rest), RunFolder(Path(path)), int(pid), partial(tell, output)))
