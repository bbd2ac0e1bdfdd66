"""Environment variables every process of the Ray cluster must have been started with.

Ray reads them at import, in its controller and in every worker, so they belong to the cluster (a pod's `env`, or
`serving.cluster` on one machine), not to a deployment. Values only.
"""

from collections.abc import Mapping
from types import MappingProxyType

from serving.config import ConfigError

EVERY_CLUSTER: Mapping[str, str] = MappingProxyType(
    {
        # Each replica opens the engine's whole API on a port of its own; no proxy, no batching of tokens.
        "RAY_SERVE_ENABLE_DIRECT_INGRESS": "1",
        "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING": "1",
        # A replica that failed its health checks cannot finish its requests either: waiting for them to drain would
        # keep its card for minutes.
        "RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS": "1",
        # Seconds a draining replica keeps its port open before it may go: it takes work for `drain.leave_s` of them,
        # and says 503 for the rest. Ray's 30 are for load balancers that poll slowly; routers look every second.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "6",
        # The engine's HTTP side runs on the loop that owns the sockets: no second thread between token and client.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        # A worker is a process group of its own, and whatever it started is killed with it: an engine's processes do
        # not outlive a replica that was killed, even if they were stopped and could not notice.
        "RAY_process_group_cleanup_enabled": "1",
        # Ray starts its workers at the lowest urgency but four, on the assumption that they work in the background.
        "RAY_worker_niceness": "0",
        # Whoever may speak to the cluster may run code in it.
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
)


NEEDED = ("RAY_SERVE_ENABLE_DIRECT_INGRESS", "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING")


def require(environment: Mapping[str, str]) -> None:
    """Refuse a cluster in which nothing here would work, or anybody could do anything.

    Raises:
        ConfigError: naming the variables that are missing.
    """
    if environment.get("RAY_AUTH_MODE") != EVERY_CLUSTER["RAY_AUTH_MODE"]:
        raise ConfigError(
            "the Ray cluster must be started with RAY_AUTH_MODE=token and its token in the file that"
            " RAY_AUTH_TOKEN_PATH names, or whoever reaches one of its ports may run code in it"
        )
    missing = [name for name in NEEDED if environment.get(name) != EVERY_CLUSTER[name]]
    if missing:
        raise ConfigError(
            f"the Ray cluster must be started with {' and '.join(f'{name}=1' for name in missing)},"
            " or replicas get no port of their own"
        )


def one_machine(token_file: str, ports: range, python_path: str) -> dict[str, str]:
    """What a cluster on one machine needs besides: everything on the loopback address, a token of its own.

    Args:
        token_file: file with the cluster's token.
        ports: TCP ports for the replicas.
        python_path: `PYTHONPATH` of all processes; must lead to this package.
    """
    return dict(EVERY_CLUSTER) | {
        "RAY_AUTH_TOKEN_PATH": token_file,
        "RAY_AUTH_TOKEN": "",  # of another cluster, maybe; it would go before the file, and be seen in every process
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(ports.start),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(ports.stop - 1),
        # Despite its name, on every system: with 0, Ray's own address is 127.0.0.1 and nothing listens elsewhere.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "PYTHONPATH": python_path,
    }
