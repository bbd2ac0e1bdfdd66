"""Wakes an application of Ray Serve that has scaled to zero, when somebody waits for it.

Ray starts a replica when a request waits in one of its proxies, and of requests that wait in a router it knows nothing.
So the router asks the proxy for the health of the application: Ray holds that request until the first replica is up and
answers it from there. One such request is under way at a time, whoever waits; when it ends, for whatever reason, the
next one is sent if somebody still waits. Callers' requests never go that way.
"""

import asyncio
import logging

import aiohttp

from router.tasks import stop

_PATH = "/health"

logger = logging.getLogger(__name__)


class RayWaker:
    """Of one pool.

    `patience_s`: for one request to the proxy; a replica takes minutes to start, and asking again costs nothing.
    """

    def __init__(self, session: aiohttp.ClientSession, pool_name: str, *, patience_s: float = 300.0) -> None:
        self._session = session
        self._pool_name = pool_name
        self._timeout = aiohttp.ClientTimeout(total=patience_s, connect=5.0)
        self._knock: asyncio.Task[None] | None = None

    def wake(self, proxy: str) -> None:
        """Ask for a replica at a proxy's base URL, unless that is being done."""
        if self._knock is None or self._knock.done():
            logger.info("pool %s: nobody serves it and somebody waits: asking Ray for a replica", self._pool_name)
            self._knock = asyncio.create_task(self._ask(proxy + _PATH))

    async def close(self) -> None:
        """Ask no more."""
        if self._knock is not None:
            await stop([self._knock])

    async def _ask(self, url: str) -> None:
        try:
            async with self._session.get(url, timeout=self._timeout, allow_redirects=False) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            logger.debug("pool %s: the proxy gave no answer: %s", self._pool_name, type(error).__name__)
