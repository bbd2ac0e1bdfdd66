"""`python -m serving --deployment FILE`: see `serving.arguments`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from serving.arguments import Arguments
from serving.cluster import RunFolder, read_token
from serving.config import ConfigError, load
from serving.engine import resolve
from serving.environment import one_machine
from serving.events import tell
from serving.processes import keep


def main(argv: Sequence[str]) -> int:
    """Check everything that can be checked at once, then run the cluster in a watched process.

    Returns:
        0 after a stop that was asked for, 1 if the replicas did not come up, 2 for a wrong deployment.
    """
    arguments = Arguments.parse(argv)
    try:
        deployment = arguments.apply(load(arguments.deployment))
        resolve(deployment)
        token = None if arguments.token_file is None else read_token(arguments.token_file)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    folder = RunFolder.create(token)
    # Workers must find this package, and whatever this process was told to find.
    python_path = os.pathsep.join([str(Path(__file__).resolve().parents[1]), *filter(None, [os.getenv("PYTHONPATH")])])
    command = [sys.executable, "-m", "serving.local", str(os.getpid()), str(folder.path), *argv]
    environment = dict(os.environ) | one_machine(str(folder.token_file), arguments.ports, python_path)
    code = keep(command, environment, stop_timeout_s=deployment.drain.timeout_s + 60)
    if code == 0 and not arguments.keep_logs:
        folder.remove()
        tell(sys.stdout, "stopped", code=code)
    else:
        tell(sys.stdout, "stopped", code=code, logs=str(folder.ray))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
