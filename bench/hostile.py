"""Clients that only want to be there: `python -m bench.hostile <kind> <count> <host:port>`, a process of its own.

slow   sends a request's head one byte a second, and comes back when it is cut off (slowloris)
idle   asks for /healthz once and then keeps its connection

Prints `ready` when all of them are there, and goes on until its standard input closes; then it prints how many were cut
off. Loopback only.
"""

import asyncio
import sys
from collections.abc import Iterator
from itertools import count
from typing import cast

import msgspec
import uvloop

BYTE_S = 1.0  # between two bytes of a slow head
AT_ONCE = 64  # connections that are being opened
HEAD = b"GET /healthz HTTP/1.1\r\nhost: router\r\n"
SOURCES = 100  # addresses 127.0.0.1 to .100: each has 28,000 ports of its own


class Held(msgspec.Struct, frozen=True):
    """What became of them."""

    open: int  # at the end
    cut: int  # by the router, until then


def sources() -> Iterator[str]:
    """Addresses to come from, in turns."""
    return (f"127.0.0.{number % SOURCES + 1}" for number in count())


class Crowd:
    """All connections of one kind, kept at a number."""

    def __init__(self, address: str, *, is_slow: bool) -> None:
        host, _, port = address.rpartition(":")
        self._target = host, int(port)
        self.is_slow = is_slow
        self.cut = 0
        self.members: set[Member] = set()
        self.is_over = False
        self._sources = sources()
        self._coming: set[asyncio.Task[None]] = set()

    async def gather(self, number: int) -> None:
        """Until so many are there. Raises OSError when the router lets one not in."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with gate:
                await self._come()

        await asyncio.gather(*(one() for _ in range(number)))

    async def _come(self) -> None:
        loop = asyncio.get_running_loop()
        _, member = await loop.create_connection(
            lambda: Member(self), *self._target, local_addr=(next(self._sources), 0)
        )
        await member.is_there

    def lost(self, member: "Member") -> None:
        """It was cut off: a slow one comes back."""
        self.members.discard(member)
        if self.is_over:
            return
        self.cut += 1
        if self.is_slow:
            task = asyncio.ensure_future(self._come())
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)

    async def drip(self) -> None:
        """Each slow one sends its next byte; spread over the second, as they came."""
        while True:
            members = list(self.members)
            for start in range(0, len(members), 10):
                for member in members[start : start + 10]:
                    member.drip()
                await asyncio.sleep(BYTE_S * 10 / len(members))
            if not members:
                await asyncio.sleep(BYTE_S)

    def end(self) -> Held:
        self.is_over = True
        held = Held(len(self.members), self.cut)
        for task in self._coming:
            task.cancel()
        for member in list(self.members):
            member.transport.abort()
        return held


class Member(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._sent = 0
        self.is_there: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._crowd.members.add(self)
        if self._crowd.is_slow:
            self.is_there.set_result(None)
        else:
            self.transport.write(HEAD + b"\r\n")

    def drip(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(HEAD[self._sent % len(HEAD) :][:1])
            self._sent += 1

    def data_received(self, data: bytes) -> None:
        if not self.is_there.done():
            self.is_there.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_there.done():
            self.is_there.set_exception(exc or ConnectionResetError("not let in"))
        self._crowd.lost(self)


async def run(kind: str, number: int, address: str) -> Held:
    crowd = Crowd(address, is_slow=kind == "slow")
    await crowd.gather(number)
    print("ready", flush=True)
    dripping = asyncio.ensure_future(crowd.drip()) if crowd.is_slow else None
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    held = crowd.end()
    if dripping is not None:
        dripping.cancel()
    await asyncio.sleep(0.1)  # the transports' last calls
    return held


def main() -> None:
    kind, number, address = sys.argv[1:]
    if kind not in ("slow", "idle"):
        raise SystemExit(f"kind must be slow or idle, got {kind}")
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(kind, int(number), address))) + b"\n")


if __name__ == "__main__":
    main()
