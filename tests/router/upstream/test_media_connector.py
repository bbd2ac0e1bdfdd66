"""The gates at which connections are refused, each by itself: URLs are not checked here."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_network

import aiohttp
import pytest

from router.protocol.address import Addresses
from router.upstream.media_connector import Lookup, NotPublic, PublicConnector, address_of, check, open_socket
from tests.router.upstream.media_world import NAME, PUBLIC, Canary, Site, World

LOOPBACK = Addresses(allow=(ip_network("127.0.0.0/8"),))


def session(world: World, addresses: Addresses) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=PublicConnector(addresses, world.resolve, world.open_socket, None))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"])
def test_a_literal_address_which_no_resolver_sees_gets_no_socket(host: str) -> None:
    async def main() -> None:
        world = World()
        async with Canary() as canary, session(world, Addresses()) as client:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await client.get(f"http://{host}:{canary.port}/")
            assert isinstance(caught.value.os_error, NotPublic)
            assert (0, [], []) == (canary.hits, world.asked, world.dialled)

    asyncio.run(main())


def test_a_resolvers_answer_is_refused_as_a_whole() -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC, "127.0.0.1"]]}
        async with Canary() as canary, session(world, Addresses()) as client:
            with pytest.raises(aiohttp.ClientConnectorDNSError) as caught:
                await client.get(f"http://{NAME}:{canary.port}/")
            assert isinstance(caught.value.os_error, NotPublic)
            assert (0, [NAME], []) == (canary.hits, world.asked, world.dialled)

    asyncio.run(main())


def test_a_connection_serves_one_request() -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [["127.0.0.1"]]}
        async with Site() as site, session(world, LOOPBACK) as client:
            for _ in range(2):
                async with client.get(f"http://{NAME}:{site.port}/") as answer:
                    await answer.read()
            assert (2, 2, 2) == (site.accepted, len(world.asked), len(world.dialled))

    asyncio.run(main())


def test_what_is_no_address_is_none_that_may_be_fetched_from() -> None:
    check(PUBLIC, Addresses())
    for address in ("localhost", "", "127.1", "2130706433", "fe80::1%1"):
        with pytest.raises(NotPublic):
            check(address, Addresses())


def test_the_systems_resolver_tells_addresses_each_once_and_their_zones() -> None:
    async def main() -> None:
        lookup = Lookup()
        try:
            found: Sequence[str] = await lookup.resolve("localhost", 80)
            assert found
            assert {*found} <= {"127.0.0.1", "::1"}
            assert len(found) == len({*found})
            with pytest.raises(OSError):  # noqa: PT011 - whatever the system says
                await lookup.resolve("nobody.invalid", 80)
        finally:
            lookup.close()

    asyncio.run(main())
    stream = (socket.AF_INET6, socket.SOCK_STREAM, 6, "")
    assert "fe80::1%2" == address_of((*stream, ("fe80::1", 80, 0, 2)))
    assert "fe80::1%eth0" == address_of((*stream, ("fe80::1%eth0", 80, 0, 2)))
    assert "::1" == address_of((*stream, ("::1", 80, 0, 0)))
    assert "127.0.0.1" == address_of((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))


def test_sockets_are_of_the_addresss_family() -> None:
    with open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 80))) as sock:
        assert socket.AF_INET == sock.family
