"""Answers of `/responses` on their way into the database, and back. No request waits for that.

What is kept is there at once: it is found here until it is written. It is written as soon as the last batch is, so that
batches are as large as it takes. A database that is away is tried again, with pauses that grow; meanwhile what waits
has a bound, and whoever comes beyond it is told that his answer is not stored. It is no ledger: what waits in a router
that dies is lost.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from router.policy.key import Key
from router.protocol.responses.memory import Remembered
from router.store.away import DatabaseAway
from router.store.response_records import ResponseRecord
from router.store.responses_settings import ResponsesSettings

logger = logging.getLogger(__name__)

_DAY_S = 86_400
_BATCH = 100  # rows in one transaction
_BATCH_BYTES = 8_388_608  # 8 MiB in one transaction, unless one row has more
_SWEPT = 200  # rows that are deleted in one transaction: each may have megabytes


class Rows(Protocol):
    """See `responses.ResponseStore`."""

    async def write(self, records: Sequence[ResponseRecord]) -> None: ...
    async def get(self, workspace: str, response: str) -> Remembered | None: ...
    async def delete(self, workspace: str, response: str) -> bool: ...
    async def expire(self, most: int) -> int: ...
    async def crowded(self, most: int) -> Sequence[str]: ...
    async def trim(self, workspace: str, keep: int, most: int) -> int: ...


class KeptResponses:
    """One per router; `run` beside the requests.

    Args:
        rows: the database.
        settings: how much.
        wall_clock: unix seconds.
        sleep: pauses.

    Attributes:
        waiting_bytes: of answers that are not written yet.
        written: answers, since the start.
        dropped: answers for which there was no room, or which the database refused.
        failures: of writes and sweeps.
        swept: rows deleted because they had expired or were too many.
    """

    def __init__(
        self,
        rows: Rows,
        settings: ResponsesSettings,
        *,
        wall_clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.settings = settings
        self._rows = rows
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._waiting: dict[str, ResponseRecord] = {}  # the oldest first
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()  # nothing is deleted while it is being written
        self._is_full = False  # and somebody has heard of it
        self.waiting_bytes = 0
        self.written = 0
        self.dropped = 0
        self.failures = 0
        self.swept = 0

    def __len__(self) -> int:
        """Answers that wait."""
        return len(self._waiting)

    def keep(self, key: Key, answer: Remembered) -> bool:
        """False: there is no room. Does not wait."""
        if self.waiting_bytes + answer.size > self.settings.waiting_bytes:
            if not self._is_full:
                logger.error("responses: the database is too slow or away; answers are not stored for now")
            self._is_full = True
            self.dropped += 1
            return False
        expires_at = self._wall_clock() + self.settings.days * _DAY_S
        self._waiting[answer.id] = ResponseRecord(key.workspace, key.id, expires_at, answer)
        self.waiting_bytes += answer.size
        self._wake.set()
        return True

    async def find(self, workspace: str, response: str) -> Remembered | None:
        """None: there is none that this workspace may see.

        Raises:
            DatabaseAway: that cannot be told.
        """
        waiting = self._waiting.get(response)
        if waiting is not None:
            return waiting.answer if waiting.workspace == workspace else None
        return await self._rows.get(workspace, response)

    async def delete(self, workspace: str, response: str) -> bool:
        """Whether it was there.

        Raises:
            DatabaseAway: it may be there still.
        """
        async with self._writing:
            was_there = await self._rows.delete(workspace, response)
            waiting = self._waiting.get(response)
            if waiting is not None and waiting.workspace == workspace:
                self._forget(waiting)
                return True
            return was_there

    async def run(self) -> None:
        """Write until cancelled, then what is left, as far as there is time."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_writing())
                group.create_task(self._keep_sweeping())
        finally:
            with suppress(DatabaseAway, TimeoutError):
                async with asyncio.timeout(self.settings.drain_s):
                    while self._waiting:
                        await self._write()
            if self._waiting:
                logger.error("responses: %d answers were not written and are lost", len(self._waiting))

    async def sweep(self) -> None:
        """Delete what has expired, and of each workspace what is too much.

        Raises:
            DatabaseAway: some of it may be there still.
        """
        while (number := await self._rows.expire(_SWEPT)) > 0:
            self.swept += number
        keep = self.settings.per_workspace
        for workspace in await self._rows.crowded(keep):
            while (number := await self._rows.trim(workspace, keep, _SWEPT)) > 0:
                self.swept += number

    async def _keep_writing(self) -> None:
        pause_s = self.settings.backoff_s
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                try:
                    await self._write()
                except DatabaseAway as away:
                    self.failures += 1
                    logger.warning("responses: %d answers wait: %s", len(self._waiting), away)
                    await self._sleep(pause_s)
                    pause_s = min(2 * pause_s, self.settings.backoff_max_s)
                else:
                    pause_s = self.settings.backoff_s

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
            except DatabaseAway as away:
                self.failures += 1
                logger.warning("responses: old answers stay for now: %s", away)
            await self._sleep(self.settings.sweep_s)

    async def _write(self) -> None:
        """The oldest that wait. Raises DatabaseAway: they wait on."""
        async with self._writing:
            if not (batch := self._batch()):
                return
            try:
                await self._rows.write(batch)
            except DatabaseAway:
                raise
            except Exception:  # a mistake of ours; to repeat it for ever would hold up all that comes after
                logger.exception("responses: the database refused %d answers; they are lost", len(batch))
                self.dropped += len(batch)
            else:
                self.written += len(batch)
                self._is_full = False
            for record in batch:
                self._forget(record)

    def _batch(self) -> list[ResponseRecord]:
        batch: list[ResponseRecord] = []
        size = 0
        for record in self._waiting.values():
            size += record.answer.size
            if len(batch) == _BATCH or (batch and size > _BATCH_BYTES):
                break
            batch.append(record)
        return batch

    def _forget(self, record: ResponseRecord) -> None:
        del self._waiting[record.answer.id]
        self.waiting_bytes -= record.answer.size
