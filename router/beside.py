"""A task beside the requests: started when the configuration that wants it comes into force, stopped when none does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from router.tasks import stop

logger = logging.getLogger(__name__)


class Watcher(Protocol):
    """Runs until it is cancelled."""

    async def run(self) -> None: ...


class Beside:
    """One of them."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Further calls do nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self.watcher.run())
            self._task.add_done_callback(_report)

    def cancel(self) -> None:
        """It writes nothing more from here on; `stop` awaits its end."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        if self._task is not None:
            await stop([self._task])


@asynccontextmanager
async def beside(make: Callable[[], Watcher]) -> AsyncIterator[Beside]:
    """Stopped at the end of the block."""
    it = Beside(make())
    try:
        yield it
    finally:
        await it.stop()


def _report(task: "asyncio.Task[None]") -> None:
    """None of them ends by itself; what ends one is a mistake of ours, and somebody must hear of it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("a part of the router has ended; restart it", exc_info=error)
