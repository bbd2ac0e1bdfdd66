"""A small internet for the media fetcher: names, public addresses, and a canary on loopback that nobody may reach.

Everything is real but two things: what names resolve to is said by the test, and a socket that connects to one of its
"public" addresses connects to a server on loopback instead. A socket for any other address really goes there.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any, Self

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from router.upstream.media import MediaFetcher, open_fetcher
from router.upstream.media_connector import AddrInfo
from router.upstream.media_result import Result
from router.upstream.media_settings import MediaSettings
from tests import fault_behaviours as faults
from tests.faults import Behaviour, FaultServer
from tests.router.protocol import pictures

FIELD = "messages[0].content[0].image_url.url"
PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2606:2800:220:1::1"
NAME = "pictures.example"
PNG = pictures.png(512, 512)
ROOM = 33_554_432
Page = Behaviour


class World:
    """Names and addresses. `dialled` are all addresses that sockets were told to connect to."""

    def __init__(self) -> None:
        self.names: dict[str, list[Sequence[str]]] = {}  # answers one after the other; the last one again and again
        self.asked: list[str] = []
        self.hosts: dict[str, tuple[str, int]] = {}
        self.dialled: list[str] = []
        self.hides_peers = True  # sockets say they are connected to whom they were told to connect to

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def open_socket(self, info: AddrInfo) -> socket.socket:
        return _Socket(self, info)


class _Socket(socket.socket):
    def __init__(self, world: World, info: AddrInfo) -> None:
        super().__init__(*info[:3])
        self._world = world
        self._claims: Any = None

    def connect(self, address: Any) -> None:
        self._claims = address
        self._world.dialled.append(address[0])
        super().connect(self._world.hosts.get(address[0], address))

    def getpeername(self) -> Any:
        is_hidden = self._world.hides_peers and self._claims[0] in self._world.hosts
        return self._claims if is_hidden else super().getpeername()


class Site(FaultServer):
    """Answers by path."""

    def __init__(self, pages: dict[str, Page] | None = None, **named: Any) -> None:
        super().__init__(picture(), **named)
        self.pages = pages or {}

    @property
    def port(self) -> int:
        return self._port

    def next_behaviour(self) -> Behaviour:
        return self.pages.get(self.requests[-1].path) or super().next_behaviour()


class Canary:
    """Listens on 127.0.0.1 and ::1 at one port, answers with a good picture, and counts."""

    def __init__(self) -> None:
        self.hits = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._server_v6 = await asyncio.start_server(self._answer, "::1", self.port)
        return self

    async def __aexit__(self, *exception: object) -> None:
        for server in (self._server, self._server_v6):
            server.close()
            await server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(faults.head(200, "image/png", content_length=str(len(PNG)), connection="close") + PNG)
        writer.close()
        await writer.wait_closed()


class Heard:
    """Listens to a fetcher."""

    def __init__(self) -> None:
        self.fetches: list[tuple[Result, int]] = []
        self.cache_hits = 0

    def on_fetch(self, result: Result, size: int, seconds: float) -> None:
        assert seconds >= 0
        self.fetches.append((result, size))

    def on_cache_hit(self) -> None:
        self.cache_hits += 1


def picture(data: bytes = PNG, content_type: str = "image/png", **headers: str) -> Page:
    return faults.whole(200, data, content_type, **headers)


def redirect(location: str, status: int = 302) -> Page:
    return faults.whole(status, b"", "text/plain", location=location)


def settings(ports: Iterable[int] = (), **more: Any) -> MediaSettings:
    """Everything but addresses is allowed that a caller could wish for."""
    for name in {"allow_addresses", "deny_addresses"} & {*more}:
        more[name] = tuple(map(ip_network, more[name]))
    return MediaSettings(**{"enabled": True, "schemes": ("https", "http"), "ports": (80, 443, *ports), **more})


@asynccontextmanager
async def fetching(
    world: World,
    rules: MediaSettings | None = None,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    listener: Heard | None = None,
    **named: Any,
) -> AsyncIterator[MediaFetcher]:
    """A fetcher in a world; time stands still for its cache unless `clock` is given."""
    async with open_fetcher(
        rules or settings(),
        limits,
        listener=listener or Heard(),
        **{"clock": lambda: 0.0, "resolve": world.resolve, "open_socket": world.open_socket, **named},
    ) as fetcher:
        yield fetcher


def wanted(*urls: str, room: int = ROOM, salt: str = "") -> Unfetched:
    return Unfetched({url: FIELD.replace("[0].image", f"[{at}].image") for at, url in enumerate(urls)}, room, salt)


async def refused(fetcher: MediaFetcher, *urls: str, room: int = ROOM) -> ApiError:
    """The error that asking for these URLs ends in."""
    try:
        fetched = await fetcher.fetch(wanted(*urls, room=room))
    except ApiError as error:
        return error
    raise AssertionError(f"fetched {[*fetched]}")
