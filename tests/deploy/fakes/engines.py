"""Stands in for `python -m serving --deployment FILE`: tells the same events, and has a daemon in a session of its own.

    python engines.py MANNER FILE

Manners: ready; failing (says so and ends); dying (ends with words on stderr); starting (never gets further); messy
(ready, but leaves its daemon behind); stubborn (ready, but does not end at SIGTERM).
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

import yaml


def tell(event: str, **facts: object) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def main(manner: str, file: str) -> int:
    replicas = yaml.safe_load(Path(file).read_text())["replicas"]
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    daemon = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    print("INFO a library says something", flush=True)
    tell("cluster", dashboard="http://127.0.0.1:8265", token_file="/nowhere/token", logs="/nowhere")
    if manner == "dying":
        print("out of memory, for example", file=sys.stderr)
        daemon.kill()
        return 3
    if manner == "failing":
        daemon.kill()
        tell("failed", message="DEPLOY_FAILED: no such weights")
        return 1
    tell("progress", message="waiting for Ray Serve")
    tell("progress", message="deploying, 0 ready, 85xk4m4r STARTING")
    if manner != "starting":
        found = [{"name": f"replica-{n}", "host": "127.0.0.1", "port": 30000 + n} for n in range(replicas)]
        tell("ready", replicas=found)
    signal.sigwait(stop)
    if manner == "stubborn":
        signal.sigwait(stop)
    if manner != "messy":
        daemon.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
