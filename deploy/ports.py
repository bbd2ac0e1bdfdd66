"""TCP ports of this machine."""

import socket

from deploy.problem import Problem


def choose(host: str, wanted: int) -> int:
    """The port to listen on: the one that is wanted, or any free one for 0.

    Found by opening it for a moment: somebody else may take it before we do.

    Raises:
        Problem: somebody listens there, or the host is not of this machine.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError as error:
            raise Problem(
                f"cannot listen on {host}:{wanted}: {error.strerror}; choose another port with --port, or 0 for any"
            ) from None
        return int(probe.getsockname()[1])
