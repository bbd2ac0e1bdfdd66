"""Fetches the pictures, and PDFs, that requests only name by URLs, so that engines need no way out and never see a URL.

    request → [cache, flight, download] × URLs, side by side → data URLs → the request is read again, with them

What a URL may look like is in protocol/media_url, which addresses it may lead to in protocol/address, both enforced
where connections are made (media_connector). One that several requests name at the same time is fetched once. Where
tenants are parted by salts their pictures are kept apart as well: how soon one is there would tell who else has it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Protocol

import aiohttp
from pybase64 import b64decode

from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Unfetched
from router.upstream.media_cache import MediaCache
from router.upstream.media_connector import Lookup, OpenSocket, PublicConnector, Resolve, open_socket
from router.upstream.media_download import HEADERS, Downloads
from router.upstream.media_flight import Budget, Flight
from router.upstream.media_result import Arrived, NotFetched, Result
from router.upstream.media_settings import MediaSettings

_Key = tuple[str, str, bool]  # salt and URL; of a PDF?


class Listener(Protocol):
    """Who is told of fetches. Must not raise."""

    def on_fetch(self, result: Result, size: int, seconds: float) -> None:
        """One is over, however; `size` in bytes as they came."""

    def on_cache_hit(self) -> None:
        """A picture was there already."""


async def refuse(unfetched: Unfetched) -> Fetched:
    """What `fetch` is where nothing is to be fetched. Raises ApiError, always."""
    field = next(iter(unfetched.fields.values()))
    problem = "only data URLs are accepted: the router does not fetch images; send data:image/png;base64,…"
    raise invalid(field, problem, error_type="image_download_failed")


async def refuse_file(url: str, field: str, room: int, salt: str) -> bytes:
    """What `fetch_file` is where nothing is to be fetched. Raises ApiError, always."""
    raise invalid(field, "only data URLs are accepted: the router does not fetch files; send data:application/pdf;…")


@asynccontextmanager
async def open_fetcher(
    settings: MediaSettings,
    limits: Limits,
    *,
    clock: Callable[[], float],
    listener: Listener,
    resolve: Resolve | None = None,
    open_socket: OpenSocket = open_socket,
    tls: SSLContext | None = None,
) -> AsyncIterator["MediaFetcher"]:
    """A fetcher with its own session.

    Args:
        settings: from where; `enabled` is the caller's business.
        limits: of images.
        clock: monotonic, in seconds.
        listener: is told of every fetch.
        resolve: name to addresses; None: the system's resolver.
        open_socket: makes sockets, of addresses that were checked.
        tls: whom to trust; None: whom the system trusts.
    """
    rules = settings.url_rules()
    lookup = Lookup()
    connector = PublicConnector(rules.addresses, lookup.resolve if resolve is None else resolve, open_socket, tls)
    async with aiohttp.ClientSession(
        connector=connector,
        headers=HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=settings.connect_s),
        auto_decompress=False,
        raise_for_status=False,
        trust_env=False,
    ) as session:
        fetcher = MediaFetcher(Downloads(session, settings, rules, limits), settings, clock, listener)
        try:
            yield fetcher
        finally:
            await fetcher.aclose()
            lookup.close()


class MediaFetcher:
    """Shared by all requests of a router."""

    def __init__(
        self, downloads: Downloads, settings: MediaSettings, clock: Callable[[], float], listener: Listener
    ) -> None:
        self.downloads = downloads
        self._per_request = settings.fetches_per_request
        self._clock = clock
        self._listener = listener
        self._flights: dict[_Key, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.cache = MediaCache(
            most_bytes=settings.cache_bytes, most_urls=settings.cache_urls, ttl_s=settings.cache_ttl_s
        )

    @property
    def flights(self) -> int:
        """How many fetches are under way."""
        return len(self._tasks)

    async def fetch(self, unfetched: Unfetched) -> Fetched:
        """All images of a request. Raises ApiError for the first that cannot be had, naming its field."""
        budget, slots = Budget(unfetched.room), asyncio.Semaphore(self._per_request)

        async def get(url: str, field: str) -> bytes:
            async with slots:
                try:
                    return (await self._get((unfetched.salt, url, False), budget)).image
                except NotFetched as error:
                    raise error.told(field) from None

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {url: group.create_task(get(url, field)) for url, field in unfetched.fields.items()}
        except* ApiError as errors:
            first = errors.exceptions[0]
        else:
            return {url: task.result() for url, task in tasks.items()}
        raise first

    async def fetch_file(self, url: str, field: str, room: int, salt: str) -> bytes:
        """One PDF of at most `room` bytes, for the tenant with that salt. Raises ApiError, naming the field."""
        try:
            arrived = await self._get((salt, url, True), Budget(room))
        except NotFetched as error:
            raise error.told_of_file(field) from None
        return b64decode(arrived.image[arrived.image.index(b",") + 1 : -1])

    async def _get(self, key: _Key, budget: Budget) -> Arrived:
        kept = self.cache.get(key, self._clock())
        if kept is not None:
            budget.pay(kept.size)
            self._listener.on_cache_hit()
            return kept
        flight = self._flights.get(key) or self._start(key)
        try:
            return await flight.wait(budget)
        finally:
            if flight.is_deserted:
                self._end(key, flight)

    def _start(self, key: _Key) -> Flight:
        flight = self._flights[key] = Flight()
        flight.task = asyncio.create_task(self._fly(key, flight))
        self._tasks.add(flight.task)
        flight.task.add_done_callback(self._tasks.discard)
        return flight

    def _end(self, key: _Key, flight: Flight) -> None:
        """Let nobody join any more; stop it, if it isn't over."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task is not None and flight.task is not asyncio.current_task():
            flight.task.cancel()

    async def _fly(self, key: _Key, flight: Flight) -> None:
        started, result = self._clock(), Result.ABANDONED
        try:
            arrived = await self.downloads.get(key[1], flight.on_bytes, is_pdf=key[2])
            result = Result.FETCHED
            if arrived.may_keep:
                self.cache.put(key, arrived, self._clock())
            flight.land(arrived)
        except NotFetched as error:
            result = error.result
            flight.fail(error)
        finally:
            self._end(key, flight)
            flight.fail(NotFetched(result, "the image could not be fetched"))  # whoever still waits
            self._listener.on_fetch(result, flight.received, self._clock() - started)

    async def aclose(self) -> None:
        """Stop what is being fetched."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
