"""KV-cache events as vLLM publishes them: batches over a ZMQ PUB socket, and a ROUTER socket that says them again.

Three frames: topic (empty), a sequence number (8 bytes, big-endian, from 0), the batch in msgpack. A replay request is
two frames, empty and the first number wanted; the answer is each batch kept from there on, and an end marker.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bench.simulator.prompt import ExtraKeys

_END = (-1).to_bytes(8, "big", signed=True)
_MEDIUM = "GPU"


class BlockStored(msgspec.Struct, omit_defaults=True, tag=True, frozen=True):
    """Full blocks entered the cache, a row without a gap."""

    block_hashes: Sequence[int]
    parent_block_hash: int | None
    token_ids: Sequence[int]
    block_size: int
    lora_id: int | None
    medium: str | None
    lora_name: str | None
    extra_keys: Sequence[ExtraKeys] | None = None
    group_idx: int | None = None


class BlockRemoved(msgspec.Struct, omit_defaults=True, tag=True, frozen=True):
    """Blocks left the cache."""

    block_hashes: Sequence[int]
    medium: str | None
    group_idx: int | None = None


class AllBlocksCleared(msgspec.Struct, omit_defaults=True, tag=True, frozen=True):
    """The cache is empty."""


Event = BlockStored | BlockRemoved | AllBlocksCleared


class _Batch(msgspec.Struct, array_like=True, omit_defaults=True):
    ts: float
    events: Sequence[Event]
    data_parallel_rank: int | None = None


def stored(
    names: Sequence[int], parent: int | None, ids: Sequence[int], block_size: int, extras: Sequence[ExtraKeys]
) -> BlockStored:
    """`ids`: the tokens of these blocks."""
    return BlockStored(names, parent, ids, block_size, None, _MEDIUM, None, extras, 0)


def removed(names: Sequence[int]) -> BlockRemoved:
    return BlockRemoved(names, _MEDIUM, 0)


class Publisher:
    """Of one engine. Raises ImportError without pyzmq."""

    def __init__(self, host: str, *, replay_steps: int, clock: Callable[[], float] = time.time) -> None:
        """Open both sockets, on ports of their own.

        Args:
            host: an IPv4 address of this machine.
            replay_steps: batches kept.
            clock: Unix seconds.
        """
        import zmq

        self._zmq: Any = zmq
        self._clock = clock
        self._context = zmq.Context()
        self._pub = self._context.socket(zmq.PUB)
        self._pub.linger = 0
        self._pub.sndhwm = 100_000
        self._replay = self._context.socket(zmq.ROUTER)
        self._replay.linger = 0
        self._replay.sndhwm = 0
        self.endpoint = f"tcp://{host}:{self._pub.bind_to_random_port(f'tcp://{host}')}"
        self.replay_endpoint = f"tcp://{host}:{self._replay.bind_to_random_port(f'tcp://{host}')}"
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=replay_steps)
        self._next = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve_replays(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer replay requests from now on."""
        self._loop = loop
        loop.add_reader(self._replay.fileno(), self._answer_replays)
        self._answer_replays()

    def publish(self, events: Sequence[Event]) -> None:
        """One batch, if there is anything in it."""
        if not events:
            return
        number, self._next = self._next, self._next + 1
        payload = self._encoder.encode(_Batch(self._clock(), events, 0))
        self._kept.append((number, payload))
        self._pub.send_multipart((b"", number.to_bytes(8, "big"), payload), self._zmq.NOBLOCK)

    def sources(self) -> list[dict[str, Any]]:
        """What `/kv_event_sources` answers."""
        return [
            {
                "data_parallel_rank": 0,
                "endpoint": self.endpoint,
                "replay_endpoint": self.replay_endpoint,
                "topic": "",
            }
        ]

    def close(self) -> None:
        """Both sockets."""
        if self._loop is not None:
            self._loop.remove_reader(self._replay.fileno())
        self._pub.close()
        self._replay.close()
        self._context.term()

    def _answer_replays(self) -> None:
        # ZMQ's descriptor tells of changes only, so everything that is there is read each time.
        while self._replay.getsockopt(self._zmq.EVENTS) & self._zmq.POLLIN:
            frames = self._replay.recv_multipart()
            if len(frames) != 3 or len(frames[2]) != 8:
                continue
            client, first = frames[0], int.from_bytes(frames[2], "big")
            for number, payload in self._kept:
                if number >= first:
                    self._replay.send_multipart((client, b"", b"", number.to_bytes(8, "big"), payload))
            self._replay.send_multipart((client, b"", b"", _END, b""))
