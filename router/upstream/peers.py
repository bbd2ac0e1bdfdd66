"""Where the other routers are: the addresses behind the names that are configured.

Every name counts with all its addresses, so that one name of a headless service finds all routers, and is asked again
and again, because routers come and go. A name that cannot be resolved just now keeps the addresses it had: routers
outlive a name server's bad minute. A trouble is logged when it begins and when it is over.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

Address = tuple[str, int] | tuple[str, int, int, int]  # as the socket module has them
Resolve = Callable[[str, int, socket.AddressFamily], Awaitable[Sequence[Address]]]

logger = logging.getLogger(__name__)


def host_and_port(text: str) -> tuple[str, int]:
    """Read `host:port`, an IPv6 address in brackets. Raises ValueError when it is not that."""
    parts = urlsplit("//" + text)
    if not parts.hostname or parts.port is None or parts.netloc != text or "@" in text:
        raise ValueError(f"{text!r} is not host:port")
    return parts.hostname, parts.port


async def resolve(host: str, port: int, family: socket.AddressFamily) -> Sequence[Address]:
    """All addresses of a host, as a UDP socket of this family takes them. Raises OSError."""
    # a socket of IPv6 that is bound to all addresses also reaches hosts of IPv4, by addresses of this form
    flags = socket.AI_V4MAPPED | socket.AI_ALL if family == socket.AF_INET6 else 0
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM, flags=flags)
    return [address for *_, address in found if isinstance(address[0], str)]


class Peers:
    """Addresses of some names, each once; at most `most` of them."""

    def __init__(self, names: Sequence[tuple[str, int]], *, resolve: Resolve, most: int) -> None:
        self.addresses: tuple[Address, ...] = ()
        self._resolve = resolve
        self._most = most
        self._found: dict[tuple[str, int], Sequence[Address]] = dict.fromkeys(names, ())
        self._troubles: dict[tuple[str, int], str] = {}

    async def refresh(self, family: socket.AddressFamily) -> None:
        """Ask for all names, side by side. Raises nothing but CancelledError."""
        await asyncio.gather(*(self._ask(name, family) for name in self._found))
        every = sorted({address for found in self._found.values() for address in found})
        addresses = tuple(every[: self._most])
        if addresses != self.addresses:
            logger.info("routers are looked for at: %s", ", ".join(map(readable, addresses)) or "no address")
            if len(every) > self._most:
                logger.warning("%d addresses of routers are too many: only %d are told", len(every), self._most)
        self.addresses = addresses

    async def _ask(self, name: tuple[str, int], family: socket.AddressFamily) -> None:
        trouble = ""
        try:
            self._found[name] = await self._resolve(*name, family)
        except (OSError, UnicodeError) as error:  # the latter: a label too long for IDNA
            trouble = str(error)
        before = self._troubles.get(name, "")
        self._troubles[name] = trouble
        if trouble and trouble != before:
            logger.warning("no address for router %s:%d: %s; keeping those last known", *name, trouble)
        elif before and not trouble:
            logger.info("router %s:%d has an address again", *name)


def readable(address: Address) -> str:
    """As people write it."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
