"""Tells the other routers what this one has in flight, and hears what they have: the mesh's sockets.

One UDP socket. At every tick the whole state goes to every peer; nothing is acknowledged or sent again, for the next
tick says it all anew. Neither a peer, nor a name server, nor a flood keeps the event loop: sends and reads that would
wait are given up or left for later, and both happen in batches with room for others between them. Trouble with a peer
is logged when it begins and when it is over, not at every tick.

Which address is this router's own is learnt from what comes back: the same list of peers serves all routers.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from router.policy.catalog import EndpointId
from router.policy.gossip import Drop, Part
from router.policy.load import Load
from router.policy.mesh import Mesh
from router.protocol.gossip import MAX_BYTES, GossipWire
from router.protocol.outbox import Outbox
from router.upstream.gossip_settings import GossipSettings
from router.upstream.peers import Address, Peers, Resolve, host_and_port, readable, resolve

_BATCH = 64  # datagrams sent or read before others may run: about half a millisecond
_SERVICE_TICKS = 10  # for which accounts' service is told as it was: it is a matter of minutes, and sorting costs time

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GossipCounts:
    """Since the start."""

    sent: int  # datagrams
    received: int  # datagrams, whatever became of them
    dropped: Mapping[str, int]  # datagrams by reason: a Drop's value, or `unsent`
    inserts_dropped: int  # pieces of prompts that waited too long
    left_out: int  # endpoints and accounts that no datagram had room for


class Gossip:
    """One per router; an asynchronous context, within which it listens and tells.

    Args:
        settings: of the mesh.
        secret: what all routers share; whoever has it can pretend any load.
        mesh: takes in what is heard.
        outbox: says what is told.
        loads: what this router has at each endpoint now.
        service: what accounts have got from this router lately, in tokens; asked twice a second.
        endpoints: those that are there now.
        clock: monotonic seconds.
        sleep: between tellings.
        resolve: a host's addresses.

    Raises ValueError when the secret is too short, and OSError, on entering, when the address cannot be listened at.
    """

    def __init__(
        self,
        settings: GossipSettings,
        secret: bytes,
        *,
        mesh: Mesh,
        outbox: Outbox,
        loads: Callable[[], Iterable[tuple[EndpointId, Load]]],
        endpoints: Callable[[], Iterable[EndpointId]],
        service: Callable[[], Iterable[tuple[str, float]]] = tuple,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        resolve: Resolve = resolve,
    ) -> None:
        self._settings = settings
        self._wire = GossipWire(secret)
        self._mesh = mesh
        self._outbox = outbox
        self._loads = loads
        self._service = service
        self._endpoints = endpoints
        self._clock = clock
        self._sleep = sleep
        names = [host_and_port(text) for text in (*settings.peers, *((settings.dns,) if settings.dns else ()))]
        self._peers = Peers(names, resolve=resolve, most=settings.max_peers + 1)  # one may be this router
        self._served: list[tuple[str, float]] = []
        self._own: set[Address] = set()  # of the peers' addresses, those that lead here
        self._troubles: dict[Address, str] = {}
        self._sent = self._received = 0
        self._dropped: Counter[str] = Counter()
        self._socket: socket.socket | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def address(self) -> Address:
        """Where it listens."""
        assert self._socket is not None, "not entered"
        return self._socket.getsockname()  # type: ignore[no-any-return]

    def counts(self) -> GossipCounts:
        """What has gone through it."""
        return GossipCounts(
            self._sent, self._received, dict(self._dropped), self._outbox.dropped_inserts, self._outbox.left_out
        )

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        host, port = host_and_port(self._settings.listen)
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        self._socket = _bound(family, address, self._settings.receive_buffer_bytes)
        loop.add_reader(self._socket, self._read, self._socket)
        self._tasks = [self._start(self._keep_resolving(self._socket)), self._start(self._keep_telling())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            now = self._clock()
            for data in self._encoded(self._outbox.leave(now, self._mesh.heard(now))):
                for address in self._others():
                    self._send(self._socket, data, address)
        finally:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    async def tell(self) -> None:
        """One tick: forget who is silent, and tell everybody everything."""
        assert self._socket is not None
        now = self._clock()
        self._mesh.expire(now)
        self._mesh.know(self._endpoints())
        others = self._others()
        self._mesh.expect(len(others))
        if self._outbox.seq % _SERVICE_TICKS == 0:
            self._served = list(self._service())
        datagrams = self._encoded(
            self._outbox.tick(
                now,
                loads=self._loads(),
                service=self._served,
                heard=self._mesh.heard(now),
                routers=self._mesh.routers(now),
            )
        )
        done = 0
        for address in others:
            for data in datagrams:
                self._send(self._socket, data, address)
                done += 1
                if done % _BATCH == 0:
                    await asyncio.sleep(0)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_report)
        return task

    async def _keep_telling(self) -> None:
        while True:
            await self.tell()
            await self._sleep(self._settings.interval_s)

    async def _keep_resolving(self, bound: socket.socket) -> None:
        while True:
            await self._peers.refresh(bound.family)
            current = self._peers.addresses
            self._own.intersection_update(current)
            self._troubles = {each: self._troubles[each] for each in current if each in self._troubles}
            await self._sleep(self._settings.resolve_s)

    def _others(self) -> list[Address]:
        return [address for address in self._peers.addresses if address not in self._own]

    def _encoded(self, parts: Iterable[Part]) -> list[bytes]:
        return [self._wire.encode(part) for part in parts]

    def _send(self, through: socket.socket, data: bytes, address: Address) -> None:
        trouble = ""
        try:
            through.sendto(data, address)
        except (BlockingIOError, InterruptedError):
            self._dropped["unsent"] += 1  # the system's buffer is full; the next tick says it again
            return
        except OSError as error:
            trouble = error.strerror or str(error)
            self._dropped["unsent"] += 1
        else:
            self._sent += 1
        before = self._troubles.get(address, "")
        if trouble != before:
            self._troubles[address] = trouble
            if trouble:
                logger.warning("router at %s cannot be told anything: %s", readable(address), trouble)
            else:
                logger.info("router at %s can be told again", readable(address))

    def _read(self, bound: socket.socket) -> None:
        now = self._clock()
        for _ in range(_BATCH):  # what is left is read when others have run
            try:
                data, address = bound.recvfrom(MAX_BYTES + 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # on some systems: an earlier datagram found nobody there
                logger.debug("mesh: %s", error)
                continue
            self._received += 1
            part = self._wire.decode(data)
            drop = part if isinstance(part, Drop) else self._mesh.hear(part, now)
            if drop is None:
                self._own.discard(address)  # in case a forged sender had it taken for this router's own
            elif drop is not Drop.OWN:
                self._dropped[drop.value] += 1
            elif address in self._peers.addresses:
                self._own.add(address)


def _bound(family: int, address: Address | tuple[int, bytes], buffer_bytes: int) -> socket.socket:
    """Raises OSError."""
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        made.setblocking(False)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("other routers are told nothing any more", exc_info=task.exception())
