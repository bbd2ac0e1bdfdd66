"""Keeping a waiting client company, so that nobody in between cuts its silent connection."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from router.relay import Committed

SSE_COMMENT = b": OPENROUTER PROCESSING\n\n"


class Client(Protocol):
    """Whoever asked. `start` is called once, then `write` any number of times; both may raise CancelledError."""

    async def start(self, *, stream: bool, length: int | None) -> None: ...
    async def write(self, data: bytes, *, more: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a waiting client is kept company."""

    comment_after_s: float | None = 1.0  # the first `: OPENROUTER PROCESSING`; null: never; some naive parsers choke
    comment_every_s: float = 10.0  # proxies in between cut silent connections after 30 to 60 s


class Company:
    """Sends SSE comments until there is something to say."""

    def __init__(self, client: Client, settings: StreamSettings) -> None:
        self._client = client
        self._settings = settings
        self.has_started = False

    async def wait_for(self, committing: Coroutine[Any, Any, Committed]) -> Committed:
        """Await the first byte; while it takes long, commit to 200 and send comments.

        The comments give up the chance of a real HTTP status for a connection that nobody in between cuts.
        """
        if self._settings.comment_after_s is None:
            return await committing
        task = asyncio.ensure_future(committing)
        patience = self._settings.comment_after_s
        try:
            while True:
                done, _ = await asyncio.wait((task,), timeout=patience)
                if done:
                    break
                if not self.has_started:
                    self.has_started = True
                    await self._client.start(stream=True, length=None)
                await self._client.write(SSE_COMMENT, more=True)
                patience = self._settings.comment_every_s
        except BaseException:
            task.cancel()
            task.add_done_callback(_abandon)  # it may have committed in the same moment
            raise
        return task.result()


def _abandon(task: "asyncio.Task[Committed]") -> None:
    """Give back what an attempt holds that committed after its client had left."""
    if task.cancelled() or task.exception() is not None:
        return
    task.result().abandon()
