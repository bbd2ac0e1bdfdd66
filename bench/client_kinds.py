"""The HTTP clients that `bench.clients` measures, set up as the router would: no cookies, proxies or limits."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from bench.bare_client import BODY, Bare
from router.policy.attempt import Attempt
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.upstream.client import Client

HEADERS = {"content-type": "application/json", "accept": "text/event-stream"}


class Session(Protocol):
    """What the measured loop calls."""

    async def once(self, url: str) -> int: ...
    async def stream(self, url: str) -> int: ...


class Aiohttp:
    package = "aiohttp"

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Session]:
        import aiohttp

        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        ) as session:
            yield cls(session)

    async def once(self, url: str) -> int:
        async with self._session.post(url, data=BODY, headers=HEADERS) as reply:
            return len(await reply.read())

    async def stream(self, url: str) -> int:
        size = 0
        async with self._session.post(url, data=BODY, headers=HEADERS) as reply:
            while data := await reply.content.readany():
                size += len(data)
        return size


class Httpx:
    package = "httpx"

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Session]:
        httpx = importlib.import_module(cls.package)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=None, trust_env=False) as client:
            yield cls(client)

    async def once(self, url: str) -> int:
        reply = await self._client.post(url, content=BODY, headers=HEADERS)
        return len(reply.content)

    async def stream(self, url: str) -> int:
        size = 0
        async with self._client.stream("POST", url, content=BODY, headers=HEADERS) as reply:
            async for data in reply.aiter_raw():
                size += len(data)
        return size


class Httpx2(Httpx):
    package = "httpx2"


class Niquests:
    package = "niquests"

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Session]:
        niquests = importlib.import_module("niquests")
        async with niquests.AsyncSession(pool_connections=4, pool_maxsize=256) as session:
            session.trust_env = False
            yield cls(session)

    async def once(self, url: str) -> int:
        reply = await self._session.post(url, data=BODY, headers=HEADERS)
        return len(reply.content)

    async def stream(self, url: str) -> int:
        size = 0
        reply = await self._session.post(url, data=BODY, headers=HEADERS, stream=True)
        async for data in await reply.iter_raw(-1):
            size += len(data)
        return size


class Pyreqwest:
    package = "pyreqwest"

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Session]:
        client_module = importlib.import_module("pyreqwest.client")
        async with client_module.ClientBuilder().build() as client:
            yield cls(client)

    async def once(self, url: str) -> int:
        reply = await self._client.post(url).headers(HEADERS).body_bytes(BODY).build().send()
        return len(await reply.bytes())

    async def stream(self, url: str) -> int:
        size = 0
        async with self._client.post(url).headers(HEADERS).body_bytes(BODY).build_streamed() as reply:
            while data := await reply.body_reader.read_chunk():
                size += len(data)
        return size


class Ours:
    """The router's own `Client`, which is aiohttp with clocks, verdicts and a second try."""

    package = "aiohttp"

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._attempt = Attempt(1, Pool("pool", "m", "m"), Endpoint(EndpointId("e"), base), Deadlines())

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Session]:
        async with Client() as client:
            yield cls(client, url)

    async def once(self, url: str) -> int:
        reply = await self._client.send(self._attempt, "/once", BODY, stream=False)
        return len(reply.body)

    async def stream(self, url: str) -> int:
        reply = await self._client.send(self._attempt, "/stream", BODY, stream=True)
        size = len(reply.body)
        while data := await reply.read():
            size += len(data)
        reply.close()
        return size


CLIENTS: dict[str, Any] = {
    "aiohttp": Aiohttp,
    "router.upstream.client on aiohttp": Ours,
    "httpx": Httpx,
    "httpx2": Httpx2,
    "niquests": Niquests,
    "pyreqwest": Pyreqwest,
    "asyncio + httptools, bare": Bare,
}
