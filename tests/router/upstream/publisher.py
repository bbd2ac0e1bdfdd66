"""An engine's publisher of KV-cache events, as vLLM's: numbered batches, a replay of the last, and its troubles."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import zmq
import zmq.asyncio

END = (-1).to_bytes(8, "big", signed=True)
SIZE = 2  # tokens of a block


def stored(names: list[int], tokens: list[int], parent: int | None = None) -> dict[str, Any]:
    return {
        "type": "BlockStored",
        "block_hashes": names,
        "parent_block_hash": parent,
        "token_ids": tokens,
        "block_size": SIZE,
    }


def removed(*names: int) -> dict[str, Any]:
    return {"type": "BlockRemoved", "block_hashes": list(names)}


CLEARED = {"type": "AllBlocksCleared"}


class Journal:
    """What one engine has published, without the sockets."""

    def __init__(self, keep: int = 100) -> None:
        self._keep = keep
        self.clock = 1000.0
        self.restart()

    def restart(self) -> None:
        """Count anew, with nothing to replay."""
        self.buffer: deque[tuple[int, bytes]] = deque(maxlen=self._keep)
        self._next = 0

    def add(self, *events: dict[str, Any], batch: bytes | None = None) -> tuple[int, bytes]:
        """One batch of these events (or this one)."""
        self.clock += 1
        numbered = (self._next, batch if batch is not None else msgspec.msgpack.encode([self.clock, events, 0]))
        self._next += 1
        self.buffer.append(numbered)
        return numbered


class Publisher(Journal):
    """Its sockets are on loopback; see `publishing`."""

    def __init__(self, keep: int = 100) -> None:
        super().__init__(keep)
        self.context = zmq.asyncio.Context()
        self.replays: list[int] = []  # first numbers that were asked for
        self.subscribed = asyncio.Event()
        self.is_deaf = False  # to whom asks for a replay

    def open(self, events: str = "tcp://127.0.0.1:0", replay: str = "tcp://127.0.0.1:0") -> None:
        self._pub = self.context.socket(zmq.XPUB)  # a PUB that tells of its subscribers
        self._router = self.context.socket(zmq.ROUTER)
        self._pub.linger = self._router.linger = 0
        self._pub.bind(events)
        self._router.bind(replay)
        self.endpoint, self.replay_endpoint = (_address(each) for each in (self._pub, self._router))
        self._tasks = [asyncio.create_task(self._replay()), asyncio.create_task(self._welcome())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pub.close()
        self._router.close()

    def sources(self) -> bytes:
        return msgspec.json.encode(
            [{"data_parallel_rank": 0, "endpoint": self.endpoint, "replay_endpoint": self.replay_endpoint, "topic": ""}]
        )

    async def publish(self, *events: dict[str, Any], batch: bytes | None = None) -> None:
        await self.send(self.add(*events, batch=batch))

    async def send(self, numbered: tuple[int, bytes]) -> None:
        number, batch = numbered
        await self.send_raw([b"", number.to_bytes(8, "big"), batch])

    async def send_raw(self, frames: list[bytes]) -> None:
        await self._pub.send_multipart(frames)

    async def _welcome(self) -> None:
        while True:
            if (await self._pub.recv())[:1] == b"\x01":
                self.subscribed.set()

    async def _replay(self) -> None:
        while True:
            client, _, first = await self._router.recv_multipart()
            self.replays.append(int.from_bytes(first, "big"))
            if self.is_deaf:
                continue
            for number, batch in list(self.buffer):
                if number >= self.replays[-1]:
                    await self._router.send_multipart([client, b"", b"", number.to_bytes(8, "big"), batch])
            await self._router.send_multipart([client, b"", b"", END, b""])


def _address(bound: zmq.asyncio.Socket) -> str:
    address = bound.last_endpoint
    assert isinstance(address, bytes)
    return address.decode()


@asynccontextmanager
async def publishing(keep: int = 100) -> AsyncIterator[Publisher]:
    publisher = Publisher(keep)
    publisher.open()
    try:
        yield publisher
    finally:
        await publisher.close()
        publisher.context.destroy(linger=0)
