"""Where a replica publishes its KV-cache events: sockets that do not clash, and a route that tells where they are.

Replicas of one deployment share one set of engine arguments, and vLLM's default is one fixed port, so two on a node
would collide. The route and its answer are those of newer vLLM versions (a bare JSON array, one entry per engine).
"""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from serving.config import KVEvents

ROUTE = "/kv_event_sources"


@dataclass(frozen=True, slots=True)
class Ports:
    """The two TCP ports of one replica: publisher (PUB) and replay (ROUTER)."""

    events: int
    replay: int


def choose_ports(settings: KVEvents, local_rank: int) -> Ports:
    """Pick this replica's ports.

    With no fixed first port both are free ones: held open together while choosing, so that they differ, and let go
    before the engine binds them; the kernel hands ports out in turn, so nobody else gets them in between.

    Args:
        settings: the deployment's.
        local_rank: number of the replica among those on its node.
    """
    if settings.port:
        first = settings.port + 2 * local_rank
        return Ports(first, first + 1)
    with ExitStack() as held:
        free = [held.enter_context(socket.socket()) for _ in range(2)]
        for each in free:
            each.bind(("", 0))
        events, replay = (each.getsockname()[1] for each in free)
        return Ports(events, replay)


def engine_config(settings: KVEvents, ports: Ports) -> dict[str, Any]:
    """vLLM's `kv_events_config`. It binds to all addresses: to any other than `*` vLLM would connect."""
    return {
        "enable_kv_cache_events": True,
        "publisher": "zmq",
        "endpoint": f"tcp://*:{ports.events}",
        "replay_endpoint": f"tcp://*:{ports.replay}",
        "buffer_steps": settings.replay_steps,
    }


def sources(ports: Ports | None, host: str) -> list[Mapping[str, Any]]:
    """What the route answers.

    Args:
        ports: the replica's, or None where events are off.
        host: the replica's address, as others reach it.
    """
    if ports is None:
        return []
    return [
        {
            "data_parallel_rank": 0,
            "endpoint": f"tcp://{host}:{ports.events}",
            "replay_endpoint": f"tcp://{host}:{ports.replay}",
            "topic": "",
        }
    ]
