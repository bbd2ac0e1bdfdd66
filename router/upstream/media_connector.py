"""Connections to nothing but addresses from which pictures may be fetched.

A name is resolved once per connection, and what was checked is what is connected to, so a name server that changes its
mind in between (DNS rebinding) is not asked a second time. One address that may not be fetched from spoils a whole
answer: honest names do not mix public and private ones. Three gates use the same rule, so that no way around one of
them, through aiohttp or a literal address, is a way around all:

    the resolver's answer → every socket before it connects → the peer, before a byte of the request is written
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from ssl import SSLContext
from typing import Any, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from router.protocol.address import Addresses

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]  # all addresses of a name; raises OSError
AddrInfo: TypeAlias = tuple[Any, Any, int, str, tuple[Any, ...]]  # as getaddrinfo gives it
OpenSocket: TypeAlias = Callable[[AddrInfo], socket.socket]

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_THREADS = 8  # that resolve; a caller's slow name servers hold these, and none that finds engines


class NotPublic(OSError):
    """An address from which nothing may be fetched. The message is for the log, not for callers."""


class Lookup:
    """The system's resolver, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="media-dns")  # starts none before it is asked

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """All addresses of a name, zones included. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(map(address_of, found)))

    def close(self) -> None:
        """Give the threads up; one that still waits for a name server ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def open_socket(info: AddrInfo) -> socket.socket:
    """A socket for an address, not connected."""
    return socket.socket(*info[:3])


class PublicConnector(aiohttp.TCPConnector):
    """Each connection serves one request. See the module."""

    def __init__(self, addresses: Addresses, resolve: Resolve, open_socket: OpenSocket, tls: SSLContext | None) -> None:
        """`tls`: whom to trust; None: whom the system trusts."""
        self._addresses = addresses
        self._open_socket = open_socket
        super().__init__(
            ssl=True if tls is None else tls,
            resolver=_CheckedResolver(addresses, resolve),
            socket_factory=self._open_checked,
            use_dns_cache=False,
            force_close=True,
            limit=0,  # whoever fetches counts, see media_slots
        )

    async def connect(self, *args: Any, **named: Any) -> aiohttp.connector.Connection:
        """A connection whose peer was checked. Raises NotPublic."""
        connection = await super().connect(*args, **named)
        try:
            transport = connection.transport
            peer = None if transport is None else transport.get_extra_info("peername")
            if peer is None:
                raise ConnectionResetError("the peer has left already")
            check(peer[0], self._addresses)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_checked(self, info: AddrInfo) -> socket.socket:
        check(info[4][0], self._addresses)
        return self._open_socket(info)


class _CheckedResolver(AbstractResolver):
    def __init__(self, addresses: Addresses, resolve: Resolve) -> None:
        self._addresses = addresses
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolve(host, port)
        if not found:
            raise OSError(f"{host} has no address")
        for address in found:
            check(address, self._addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=_NUMERIC,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass


def check(address: str, addresses: Addresses) -> None:
    """Raises NotPublic: nothing may be fetched from there."""
    try:
        refusal = addresses.refusal(ip_address(address))
    except ValueError:
        refusal = "not an address"
    if refusal is not None:
        raise NotPublic(f"{address}: {refusal}")


def _look_up(host: str, port: int) -> list[AddrInfo]:
    return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)]


def address_of(info: AddrInfo) -> str:
    """As text, with its zone if it has one."""
    address, zone = str(info[4][0]), info[4][3] if len(info[4]) == 4 else 0
    return f"{address}%{zone}" if zone and "%" not in address else address
