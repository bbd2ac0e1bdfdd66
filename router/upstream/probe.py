"""Reads every engine's own metrics, again and again, into the directory.

Engines are asked side by side and each at most once at a time, so that one that hangs delays nobody's figures but its
own. A probe that fails writes nothing: the directory calls an engine unknown when its last figures have grown old.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import aiohttp

from router.policy.catalog import Endpoint, EndpointId
from router.protocol.engine_metrics import parse_metrics
from router.upstream.directory import Directory
from router.upstream.first_bytes import read_whole

_MAX_BYTES = 4_194_304  # vLLM's page is about 100 kB

logger = logging.getLogger(__name__)


class Prober:
    """One per router.

    `interval_s`: seconds until the next round; asked anew after each. `endpoints`: whom to ask; None: everybody in the
    directory. Who is not ours has no such page.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        directory: Directory,
        endpoints: Callable[[], Iterable[Endpoint]] | None = None,
        interval_s: Callable[[], float] = lambda: 1.0,
        timeout_s: float = 2.0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._directory = directory
        self._endpoints = endpoints or directory.all
        self._interval_s = interval_s
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._sleep = sleep
        self._under_way: set[EndpointId] = set()

    async def run(self) -> None:
        """Probe until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self.start_round(group)
                await self._sleep(self._interval_s())

    def start_round(self, group: asyncio.TaskGroup) -> None:
        """Start a probe of each endpoint that has none under way."""
        for endpoint in self._endpoints():
            if endpoint.id not in self._under_way:
                self._under_way.add(endpoint.id)
                task = group.create_task(self._probe(endpoint))
                task.add_done_callback(partial(self._ended, endpoint.id))  # also if it is cancelled unstarted

    async def _probe(self, endpoint: Endpoint) -> None:
        try:
            page = await self._page(endpoint)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            logger.debug("probe of %s failed: %s", endpoint.id, type(error).__name__)
        else:
            self._directory.saw(endpoint, parse_metrics(page))

    def _ended(self, endpoint_id: EndpointId, _: asyncio.Task[None]) -> None:
        self._under_way.discard(endpoint_id)

    async def _page(self, endpoint: Endpoint) -> bytes:
        async with self._session.get(
            endpoint.url + "/metrics",
            headers={"Accept": "text/plain", "Accept-Encoding": "identity"},
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            body, is_whole = await read_whole(response.content, _MAX_BYTES)
            if not is_whole:
                raise ValueError(f"larger than {_MAX_BYTES} bytes")
            return body
