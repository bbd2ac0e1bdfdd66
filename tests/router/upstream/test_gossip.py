"""Routers on real sockets tell each other what they have, and survive what a network and its people do."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import pytest

from router.policy.catalog import EndpointId
from router.policy.gossip import Part
from router.policy.load import Load, TokenLoad
from router.policy.mesh import Mesh
from router.protocol.gossip import GossipWire
from router.protocol.outbox import Outbox
from router.upstream.gossip import Gossip
from router.upstream.gossip_settings import GossipSettings
from router.upstream.peers import Address
from tests.router.upstream.support import Run, soon

SECRET = b"a secret of all routers"
A, B = EndpointId("10.0.0.1:30000"), EndpointId("10.0.0.2:30000")


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Naps:
    """Sleep that ends when the test says so."""

    def __init__(self) -> None:
        self._asleep: list[tuple[float, asyncio.Future[None]]] = []

    async def __call__(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._asleep.append((seconds, future))
        await future

    @property
    def count(self) -> int:
        """Who sleeps."""
        return len(self._asleep)

    def end(self, seconds: float) -> None:
        """Wake whoever wanted to sleep so long."""
        for wanted, future in self._asleep:
            if wanted == seconds and not future.done():
                future.set_result(None)
        self._asleep = [each for each in self._asleep if not each[1].done()]


async def until(holds: Callable[[], bool]) -> None:
    """Let others run until something holds."""

    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is awaited is data on real sockets
            await asyncio.sleep(0)


class Town:
    """Some routers, the name that leads to all of them, and time."""

    def __init__(self) -> None:
        self.time, self.naps = Time(), Naps()
        self.routers: list[Router] = []
        self.elsewhere: list[Address] = []  # addresses of the name that are no router of the town
        self.hanging: asyncio.Event | None = None  # the name server answers nobody; set when it was asked

    async def resolve(self, host: str, port: int, family: socket.AddressFamily) -> Sequence[Address]:
        if self.hanging is not None:
            self.hanging.set()
            await asyncio.Event().wait()
        return [router.gossip.address for router in self.routers] + self.elsewhere

    async def enter(self, stack: AsyncExitStack, count: int) -> list["Router"]:
        """Open routers, and let everybody find them."""
        for _ in range(count):
            router = Router(self, len(self.routers) + 1)
            await stack.enter_async_context(router.gossip)
            self.routers.append(router)
        self.naps.end(2.0)
        await until(lambda: all(router.mesh.routers(self.time.now) == len(self.routers) for router in self.ticked()))
        return self.routers

    async def rest(self) -> None:
        """Let everybody finish what they are at."""
        await until(lambda: self.naps.count == 2 * len(self.routers))
        await until(lambda: sum(r.gossip.counts().sent - r.gossip.counts().received for r in self.routers) == 0)

    def ticked(self) -> list["Router"]:
        """All routers, after one more tick has begun."""
        self.naps.end(0.05)
        self.naps.end(2.0)
        return self.routers


class TwoFamilies(Town):
    """The first router is on IPv6, the second on IPv4."""

    async def resolve(self, host: str, port: int, family: socket.AddressFamily) -> Sequence[Address]:
        if len(self.routers) < 2:
            return []
        new, old = (router.gossip.address[1] for router in self.routers)
        return [("127.0.0.1", new)] if family == socket.AF_INET else [("::ffff:127.0.0.1", old, 0, 0)]


class Router:
    """What gossip needs of a router."""

    def __init__(
        self, town: Town, boot_id: int, secret: bytes = SECRET, settings: GossipSettings | None = None
    ) -> None:
        self.ledger = TokenLoad()
        self.inserts: list[tuple[EndpointId, tuple[int, ...]]] = []
        self.served: dict[str, float] = {}
        self.mesh = Mesh(
            boot_id=boot_id,
            set_peers=self.ledger.set_peers,
            insert=lambda endpoint_id, hashes: self.inserts.append((endpoint_id, tuple(hashes))),
        )
        self.outbox = Outbox(f"router-{boot_id}", boot_id, started=town.time.now)
        self.gossip = Gossip(
            settings or GossipSettings(listen="127.0.0.1:0", dns="routers.test:8082"),
            secret,
            mesh=self.mesh,
            outbox=self.outbox,
            loads=self.ledger.own,
            service=lambda: self.served.items(),
            endpoints=lambda: [A, B],
            clock=town.time,
            sleep=town.naps,
            resolve=town.resolve,
        )

    def peers_at(self, endpoint_id: EndpointId) -> Load:
        account = self.ledger.of(endpoint_id)
        return Load(account.peer_queued, account.peer_streams, account.peer_context)


def test_routers_come_to_know_what_the_others_have(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack:
            one, two, three = await town.enter(stack, 3)
            hold = one.ledger.take(A, 100, 10)
            two.ledger.take(A, 1_000, 10)
            two.ledger.take(B, 7, 1)
            one.served["key"], two.served["key"] = 5.0, 3.0
            one.outbox.insert(A, range(200))
            await until(
                lambda: (
                    [
                        [
                            (Load(1_000, 1, 1_010), Load(7, 1, 8)),
                            (Load(100, 1, 110), Load()),
                            (Load(1_100, 2, 1_120), Load(7, 1, 8)),
                        ],
                        [3.0, 5.0, 8.0],
                    ]
                    == [
                        [(each.peers_at(A), each.peers_at(B)) for each in town.ticked()],
                        [each.mesh.service("key") for each in town.routers],
                    ]
                )
            )
            await until(lambda: 200 == sum(len(hashes) for _, hashes in three.inserts))
            assert {A} == {endpoint_id for endpoint_id, _ in two.inserts}
            hold.first_token()
            await until(lambda: Load(0, 1, 110) == town.ticked()[1].peers_at(A))
            hold.release()
            await until(lambda: Load() == town.ticked()[1].peers_at(A))

    run(main())


def test_a_router_that_stops_says_so(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack, AsyncExitStack() as first:
            one, two = (*await town.enter(first, 1), *(await town.enter(stack, 1))[1:])
            one.ledger.take(A, 100, 10)
            await until(lambda: town.ticked()[1].peers_at(A) == Load(100, 1, 110))
            await first.aclose()
            await until(lambda: two.peers_at(A) == Load())  # though no time has passed
            assert 1 == two.mesh.routers(town.time.now)

    run(main())


def test_a_router_that_dies_is_forgotten(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack:
            one, two = await town.enter(stack, 2)
            one.ledger.take(A, 100, 10)
            await until(lambda: town.ticked()[1].peers_at(A) == Load(100, 1, 110))
            town.time.now += 1.1
            await two.gossip.tell()
            assert (Load(), 1, True) == (
                two.peers_at(A),
                two.mesh.routers(town.time.now),
                two.mesh.is_alone(town.time.now),
            )
            await until(lambda: town.ticked()[1].peers_at(A) == Load(100, 1, 110))

    run(main())


def test_a_router_learns_its_own_address_and_does_not_talk_to_itself(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack:
            (one,) = await town.enter(stack, 1)
            await until(lambda: not town.ticked()[0].mesh.is_alone(0.0) and one.gossip.counts().received > 0)
            await one.gossip.tell()
            before = one.gossip.counts()
            await one.gossip.tell()
            assert before == one.gossip.counts()
            assert ({}, False) == (before.dropped, one.mesh.is_alone(town.time.now))

    run(main())


def test_what_is_not_from_a_router_is_dropped_and_counted(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack:
            one, two = await town.enter(stack, 2)
            strangers = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            good = GossipWire(SECRET).encode(Part("router-2", 2, 10**6, heard=(1,), is_leaving=True))
            forged = GossipWire(b"another secret of 16").encode(Part("router-2", 2, 10**6, heard=(1,)))
            recorded = GossipWire(SECRET).encode(Part("router-9", 9, 1, heard=(8,)))
            for data in (b"", b"hello", bytes(1_201), forged, good[:-1], b"\2" + good[1:], recorded):
                strangers.sendto(data, one.gossip.address)  # type: ignore[arg-type]
            before = one.gossip.counts().dropped.get("stranger", 0)
            await until(lambda: one.gossip.counts().dropped.get("stranger", 0) == before + 1)
            dropped = dict(one.gossip.counts().dropped)
            del dropped["stranger"]
            assert {"version": 3, "oversize": 1, "signature": 2} == dropped
            two.ledger.take(A, 100, 10)
            await until(lambda: town.ticked()[0].peers_at(A) == Load(100, 1, 110))

    run(main())


def test_a_flood_is_read_in_batches(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack:
            (one,) = await town.enter(stack, 1)
            strangers = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            await town.rest()
            before = one.gossip.counts().received
            for _ in range(150):
                strangers.sendto(b"hello", one.gossip.address)  # type: ignore[arg-type]
            seen = {0}
            while max(seen) < 150:
                await asyncio.sleep(0)
                seen.add(one.gossip.counts().received - before)
            assert {0, 64, 128, 150} == seen

    run(main())


def test_many_datagrams_are_sent_in_batches(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack:
            one, two = await town.enter(stack, 2)
            await town.rest()
            for number in range(70):
                one.outbox.insert(A, [number] * 50)
                one.outbox.insert(B, [number] * 50)
            await one.gossip.tell()  # as much as one tick may tell of
            before = one.gossip.counts().sent
            telling = asyncio.ensure_future(one.gossip.tell())
            await asyncio.sleep(0)
            assert (64, False) == (one.gossip.counts().sent - before, telling.done())
            await soon(telling)
            await until(lambda: 140 == len({*two.inserts}))

    run(main())


def test_a_peer_that_cannot_be_told_is_logged_once_and_survived(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        town = Town()
        town.elsewhere = [("255.255.255.255", 9)]  # the system refuses to send there unless it is asked for
        async with AsyncExitStack() as stack:
            one, two = await town.enter(stack, 2)
            await one.gossip.tell()
            two.ledger.take(A, 100, 10)
            await until(lambda: town.ticked()[0].peers_at(A) == Load(100, 1, 110))
            assert one.gossip.counts().dropped["unsent"] > 1

    run(main())
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert 2 * ["router at 255.255.255.255:9 cannot be told anything: Permission denied"] == warnings


def test_a_name_server_that_hangs_holds_up_nothing(run: Run) -> None:
    async def main() -> None:
        town = Town()
        async with AsyncExitStack() as stack:
            _, two = await town.enter(stack, 2)
            town.hanging = asyncio.Event()
            await until(lambda: town.hanging is not None and town.ticked() != [] and town.hanging.is_set())
            two.ledger.take(A, 100, 10)
            await until(lambda: town.ticked()[0].peers_at(A) == Load(100, 1, 110))

    run(main())


def test_an_address_in_use_is_an_error_and_leaves_nothing(run: Run) -> None:
    async def main() -> None:
        town = Town()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            router = Router(town, 1, settings=GossipSettings(listen=f"127.0.0.1:{other.getsockname()[1]}"))
            with pytest.raises(OSError, match="in use"):
                await router.gossip.__aenter__()

    run(main())


def test_a_short_secret_is_an_error() -> None:
    with pytest.raises(ValueError, match="secret must be at least 16 bytes"):
        Router(Town(), 1, secret=b"short")


def test_a_telling_that_fails_is_not_silent(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        town = Town()
        router = Router(town, 1)
        router.served = {"key": "much"}  # type: ignore[dict-item]
        async with router.gossip:
            await until(lambda: "other routers are told nothing any more" in caplog.messages)

    run(main())


def test_routers_talk_over_both_families_at_once(run: Run) -> None:
    try:
        socket.create_server(("::", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")

    async def main() -> None:
        town = TwoFamilies()
        new = Router(town, 1, settings=GossipSettings(listen="[::]:0", dns="routers.test:8082"))
        old = Router(town, 2)
        async with new.gossip, old.gossip:
            town.routers = [new, old]
            old.ledger.take(A, 100, 10)
            await until(lambda: town.ticked()[0].peers_at(A) == Load(100, 1, 110))

    run(main())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("listen", "8082"),
        ("peers", ("router-1:8082", "router-2")),
        ("dns", "routers"),
        ("interval_s", 0.0),
        ("interval_s", float("nan")),
        ("resolve_s", -1.0),
        ("expiry_s", 0.1),
        ("max_peers", 0),
        ("max_peers", 65),
        ("max_accounts", -1),
        ("insert_bytes", 1_000),
        ("queue_bytes", 32_767),
        ("receive_buffer_bytes", 0),
    ],
)
def test_a_setting_out_of_its_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field} must"):
        GossipSettings(**{field: value})  # type: ignore[arg-type]
