"""Follows the KV-cache events of every engine that publishes some, so that the prefix index is exact there.

Each endpoint has a task of its own, from when it is found until it is gone: it asks the engine where it publishes,
listens, and begins again when the connection is lost (the ports of an engine that starts anew may be others). As long
as there is no connection the index goes by what is sent to the endpoint, as it does for engines without events.
Nothing here is waited for by a request.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import aiohttp
import zmq
import zmq.asyncio

from router.policy.catalog import Endpoint, EndpointId
from router.policy.prefix import PrefixIndex
from router.policy.replica_cache import ReplicaCache
from router.protocol.engine_blocks import EngineBlocks
from router.protocol.vocabulary import Vocabulary
from router.upstream.directory import Directory
from router.upstream.kv_event_feed import Feed
from router.upstream.kv_event_follower import Follower
from router.upstream.kv_event_settings import KVEventsSettings
from router.upstream.kv_event_source import ask_source

_ROUND_S = 1.0  # between looks at the directory, as often as discovery writes it

logger = logging.getLogger(__name__)


class KVEvents:
    """One per router. `vocabulary` tells how to read an endpoint's tokens; None: not known, so it is not followed."""

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        directory: Directory,
        index: PrefixIndex,
        vocabulary: Callable[[Endpoint], Vocabulary | None],
        settings: KVEventsSettings,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._directory = directory
        self._index = index
        self._vocabulary = vocabulary
        self._settings = settings
        self._sleep = sleep
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}
        self._followers: dict[EndpointId, Follower] = {}
        self._troubles: dict[EndpointId, str] = {}  # of those that cannot be followed

    async def run(self) -> None:
        """Follow until cancelled."""
        context = zmq.asyncio.Context()
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self.start_round(group, context)
                    await self._sleep(_ROUND_S)
        finally:
            context.destroy(linger=0)

    def start_round(self, group: asyncio.TaskGroup, context: zmq.asyncio.Context) -> None:
        """Begin to follow who is new in the directory, and cease to follow who has left."""
        endpoints = self._directory.all()
        for gone in self._tasks.keys() - set(endpoints):
            self._tasks.pop(gone).cancel()
        for endpoint in endpoints:
            if endpoint not in self._tasks and (vocabulary := self._vocabulary(endpoint)) is not None:
                blocks = EngineBlocks(vocabulary, ReplicaCache(self._settings.max_blocks))
                follower = Follower(endpoint.id, blocks, self._index)
                self._followers[endpoint.id] = follower
                task = group.create_task(self._keep(endpoint, follower, context))
                task.add_done_callback(partial(self._ended, endpoint.id, follower))
                self._tasks[endpoint] = task

    def followers(self) -> Iterator[tuple[EndpointId, Follower]]:
        """Who is followed, for metrics."""
        yield from self._followers.items()

    def forget(self, endpoint_id: EndpointId) -> None:
        """Cease at once to follow an endpoint that has left."""
        for endpoint in [each for each in self._tasks if each.id == endpoint_id]:
            self._tasks.pop(endpoint).cancel()

    def _ended(self, endpoint_id: EndpointId, follower: Follower, _: asyncio.Task[None]) -> None:
        if self._followers.get(endpoint_id) is follower:
            del self._followers[endpoint_id]
            self._troubles.pop(endpoint_id, None)

    async def _keep(self, endpoint: Endpoint, follower: Follower, context: zmq.asyncio.Context) -> None:
        while True:
            pause_s = self._settings.absent_s
            try:
                source = await ask_source(self._session, endpoint, self._settings.timeout_s)
                if source is not None:
                    await self._follow(endpoint.id, follower, Feed(context, source, self._settings))
            except (aiohttp.ClientError, OSError, ValueError, zmq.ZMQError) as error:
                pause_s = self._settings.retry_s
                self._note(endpoint.id, f"{type(error).__name__}: {error}")
            finally:
                follower.stop()
            await self._sleep(pause_s)

    async def _follow(self, endpoint_id: EndpointId, follower: Follower, feed: Feed) -> None:
        """Follow as long as it can be done, which ends in an error."""
        async with feed.live() as live:
            self._note(endpoint_id, "")
            await follower.follow(live, feed, self._settings.quiet_s)

    def _note(self, endpoint_id: EndpointId, trouble: str) -> None:
        """Log a trouble when it begins and when it is over."""
        before = self._troubles.pop(endpoint_id, "")
        if trouble:
            self._troubles[endpoint_id] = trouble
        if trouble and trouble != before:
            logger.warning("%s: KV-cache events are not followed: %s", endpoint_id, trouble)
        elif before and not trouble:
            logger.info("%s: KV-cache events are followed again", endpoint_id)
