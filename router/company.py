"""Keeping a waiting client company, so that nobody in between cuts its silent connection."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

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
    """Sends SSE comments until there is something to say.

    They begin by a timer, so that an answer which comes soon costs no task of its own. They are asked to stop, not cut
    short: a write that was begun must end before the next.
    """

    def __init__(self, client: Client, settings: StreamSettings) -> None:
        self._client = client
        self._settings = settings
        self._enough = asyncio.Event()
        self._talking: asyncio.Task[None] | None = None
        self.has_started = False

    async def wait_for(self, committing: Awaitable[Committed]) -> Committed:
        """Await the first byte; while it takes long, commit to 200 and send comments.

        The comments give up the chance of a real HTTP status for a connection that nobody in between cuts.
        """
        if self._settings.comment_after_s is None:
            return await committing
        timer = asyncio.get_running_loop().call_later(self._settings.comment_after_s, self._begin)
        try:
            return await self._until_silent(committing)
        except asyncio.CancelledError:
            if self._talking is not None:
                self._talking.cancel()  # to nobody
            raise
        finally:
            timer.cancel()

    async def _until_silent(self, committing: Awaitable[Committed]) -> Committed:
        try:
            committed = await committing
        except Exception:
            await self._end()
            raise
        try:
            await self._end()
        except BaseException:
            committed.abandon()
            raise
        return committed

    def _begin(self) -> None:
        self._talking = asyncio.ensure_future(self._talk())

    async def _talk(self) -> None:
        self.has_started = True
        await self._client.start(stream=True, length=None)
        while not self._enough.is_set():
            await self._client.write(SSE_COMMENT, more=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.comment_every_s):
                    await self._enough.wait()

    async def _end(self) -> None:
        """Let the comment that is being written be the last."""
        if self._talking is not None:
            self._enough.set()
            await self._talking
