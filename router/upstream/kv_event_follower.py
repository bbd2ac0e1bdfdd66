"""Keeps what is known of one engine's cache in step with its events, whatever gets lost on the way.

Batches are numbered, so a gap is seen. It is filled from the engine's replay, which begins with the last batch that is
known already: if that is the same batch, this is the same engine, and what comes after it continues what is known. If
not, the engine has started again, and all is read anew. What the replay no longer has is lost: the cache is then known
in part only, and the index goes by what is sent there until nearly all is known again (see replica_cache).

An engine that says nothing for a while is asked too, since the last batch of a burst can be lost like any other.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from hashlib import blake2b
from typing import NoReturn, Protocol

from router.policy.catalog import EndpointId
from router.policy.prefix import PrefixIndex
from router.protocol.engine_blocks import EngineBlocks
from router.protocol.kv_events import Batch, Event, read_batch
from router.upstream.kv_event_feed import Message

logger = logging.getLogger(__name__)


class LiveFeed(Protocol):
    """Messages as they are published; see `kv_event_feed.Live`."""

    async def next(self, patience_s: float) -> Message | None: ...


class ReplayFeed(Protocol):
    """Messages that were published; see `kv_event_feed.Feed`."""

    def replay(self, first: int) -> AsyncGenerator[Message, None]: ...


class Follower:
    """One per engine. Lives on while the connection comes and goes."""

    def __init__(self, endpoint_id: EndpointId, blocks: EngineBlocks, index: PrefixIndex) -> None:
        self._endpoint_id = endpoint_id
        self._blocks = blocks
        self._index = index
        self._next = 0  # number of the batch that would continue what is known
        self._proof = b""  # digest of the batch before it
        self._at = 0.0  # when that batch was made, by the engine's clock
        self.is_exact = False  # does the index go by what is known here?
        self.lost_total = 0  # batches that could not be had any more, or not be read

    @property
    def blocks(self) -> EngineBlocks:
        """What is known of the engine's cache."""
        return self._blocks

    @property
    def batches(self) -> int:
        """Batches that the engine has published since its start, as far as is known."""
        return self._next

    async def follow(self, live: LiveFeed, past: ReplayFeed, quiet_s: float) -> NoReturn:
        """Follow until the connection is lost, which raises OSError (TimeoutError is one)."""
        await self.catch_up(past)
        while True:
            message = await live.next(quiet_s)
            if message is None or not self.take(message):
                await self.catch_up(past)
            await asyncio.sleep(0)  # a long queue of messages holds nobody up

    def take(self, message: Message) -> bool:
        """Apply a live message. False: it does not continue what is known, so there is something to catch up with."""
        if message.number == self._next:
            self._apply(message)
            self._tell()
            return True
        if message.number > self._next:
            return False
        # Published before and already replayed, or the engine has begun to count anew.
        batch = _read(message)
        return batch is not None and batch.at <= self._at

    async def catch_up(self, past: ReplayFeed) -> None:
        """Ask for what was published since, until there is nothing more.

        Raises:
            OSError: no answer (TimeoutError).
        """
        while not await self._read_replay(past):
            pass
        self._tell()

    def stop(self) -> None:
        """Nobody tells any more. What is known is kept, in case the same engine comes back."""
        if self.is_exact:
            self._index.end_exact(self._endpoint_id)
            self.is_exact = False

    async def _read_replay(self, past: ReplayFeed) -> bool:
        """Ask once. False: something is missing in the answer, so ask again."""
        unproven = self._next > 0
        progress = 0
        async with aclosing(past.replay(max(0, self._next - 1))) as messages:
            try:
                async for message in messages:
                    if unproven and message.number == self._next - 1:
                        unproven = False
                        if _digest(message) == self._proof:
                            continue
                        self._begin_anew()
                        return False
                    unproven = False
                    if message.number != self._next:
                        if progress:
                            return False  # dropped on the way: the replay was faster than we
                        self._lose(message.number - self._next)
                    self._apply(message)
                    progress += 1
                    await asyncio.sleep(0)
            except TimeoutError:
                if not progress:
                    raise
                return False
        if unproven:  # it has no such number
            self._begin_anew()
            return False
        return True

    def _begin_anew(self) -> None:
        """The engine has started again: its cache is empty, and its replay begins at 0."""
        logger.info("%s: the engine has started anew", self._endpoint_id)
        self._next, self._proof, self._at = 0, b"", 0.0
        self._blocks.cache.begin(is_whole=True)
        self._index.cleared(self._endpoint_id)
        self.stop()

    def _lose(self, batches: int) -> None:
        """So many batches are lost. Not a loss is what was published before there was a listener."""
        if self._next:
            logger.warning("%s: %d batches of KV-cache events are lost", self._endpoint_id, batches)
            self.lost_total += batches
        self._blocks.cache.begin(is_whole=False)
        self.stop()

    def _apply(self, message: Message) -> None:
        self._next, self._proof = message.number + 1, _digest(message)
        batch = _read(message)
        if batch is None:
            self._lose(1)
            return
        self._at = batch.at
        for event in batch.events:
            self._apply_event(event)

    def _apply_event(self, event: Event) -> None:
        change = self._blocks.apply(event)
        if change.is_cleared:
            self._index.cleared(self._endpoint_id)
        if self.is_exact:
            self._index.removed(self._endpoint_id, change.lost)
            self._index.stored(self._endpoint_id, change.gained)

    def _tell(self) -> None:
        if not self.is_exact and self._blocks.cache.is_exact:
            self._index.begin_exact(self._endpoint_id)
            self._index.stored(self._endpoint_id, self._blocks.cache.hashes())
            self.is_exact = True


def _digest(message: Message) -> bytes:
    """Tells batches apart: each has its time in it."""
    return blake2b(message.batch, digest_size=16).digest()


def _read(message: Message) -> Batch | None:
    try:
        return read_batch(message.batch)
    except ValueError as error:
        logger.debug("batch %d: %s", message.number, error)
        return None
