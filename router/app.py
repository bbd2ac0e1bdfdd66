"""From a configuration to an ASGI application, and from one configuration to the next.

    house (what lives as long as the process) → edition (what is made of a configuration) → front door

In front stands a dictionary of the inference routes, plain ASGI functions; whatever is not in it goes to FastAPI.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette

from router.api.exchange import Receive, Scope, Send
from router.edition import Edition
from router.editions import Editions
from router.house import open_house
from router.metrics import Metrics, Snapshot
from router.reach import mesh_series
from router.reload import Reloader
from router.reload_file import ConfigFile, Reading
from router.reload_series import reload_series
from router.store.spool_home import Home
from router.tasks import stop
from router.watchers import gossip_of


class FrontDoor:
    """The ASGI application. Each request belongs to the edition that was in force when it came."""

    edition: Edition  # in force; there is none before the lifespan has begun

    def __init__(self, reading: Reading, file: ConfigFile, home: Home | None, metrics: Metrics) -> None:
        self._reading = reading
        self._file = file
        self._home = home
        self._metrics = metrics
        self._lifespan = Starlette(lifespan=self._live)
        self._leave: Callable[[], None] = _nothing
        self._reloader: Reloader | None = None
        self._wants_reload = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        edition = self.edition
        handler = edition.inference.get(scope["path"])
        if handler is None or scope["method"] != "POST":
            await edition.rest(scope, receive, send)
            return
        with edition:
            await handler(scope, receive, send)

    def leave(self) -> None:
        """The router takes no more requests: tell the others, and let no other configuration in."""
        self._leave()

    def reload(self) -> None:
        """Look at the configuration's file at once, or as soon as there is who can."""
        self._wants_reload = True
        if self._reloader is not None:
            self._reloader.ask()

    def _let_in(self, edition: Edition) -> None:
        self.edition = edition

    @asynccontextmanager
    async def _live(self, app: Starlette) -> AsyncIterator[None]:
        """What is opened is closed in the opposite order."""
        started, metrics = self._reading, self._metrics
        async with AsyncExitStack() as stack:
            opening = open_house(started, self._home, metrics, lambda: self.edition, random.Random())
            house = await stack.enter_async_context(opening)
            editions = Editions(house, let_in=self._let_in, about=lambda: reloader.about())  # noqa: PLW0108 - made below
            stack.push_async_callback(editions.aclose)
            reloader = Reloader(self._file, started, editions.take, wall_clock=time.time)
            metrics.registry.register(Snapshot(lambda: reload_series(reloader, editions.former)))
            await editions.take(started)
            parts = [house.facts, *(() if house.batches is None else house.batches)]
            stack.push_async_callback(stop, [asyncio.create_task(part.run()) for part in parts])
            gossip = gossip_of(started.config, started.secrets, house.directory, house.learnt)
            if gossip is not None:
                metrics.registry.register(
                    Snapshot(lambda: mesh_series(house.learnt.mesh, gossip.counts, time.monotonic))
                )
                await stack.enter_async_context(gossip)
            reloading = asyncio.create_task(reloader.run())
            stack.push_async_callback(stop, [reloading])

            def leave() -> None:
                reloading.cancel()
                house.learnt.leave()

            self._leave, self._reloader = leave, reloader
            if self._wants_reload:
                reloader.ask()
            yield


def _nothing() -> None:
    """Before there is anything to do it with."""


def build(reading: Reading, file: ConfigFile, *, home: Home | None = None, metrics: Metrics | None = None) -> FrontDoor:
    """The whole router. Nothing is opened before the server starts its lifespan.

    Args:
        reading: the configuration as it was read.
        file: where from, to be looked at again.
        home: this router's folder in the spool; None: without a database.
        metrics: where it counts; None: nobody else does.
    """
    return FrontDoor(reading, file, home, metrics or Metrics())
