"""Looks after batches as a whole: reads their input files, ends them, writes their output files, sweeps what is old."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from router.batches.load import load
from router.batches.settings import BatchSettings
from router.policy.batch import Status
from router.protocol.batch_object import CANCELLED, EXPIRED, Problem, result_line
from router.protocol.batch_submit import Common
from router.protocol.file_object import OUTPUT
from router.store.away import DatabaseAway
from router.store.batch_records import BatchRecord, NewRequest
from router.store.file_records import FileEnd, FileGone, NewFile
from router.store.file_writer import FileWriter

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from sqlalchemy.ext.asyncio import AsyncConnection

    from router.store.batch_steps import BatchSteps
    from router.store.batches import BatchStore
    from router.store.files import FileStore

logger = logging.getLogger(__name__)

_UNLOADED_S = 3_600.0  # after which a batch is given up that its router did not finish writing
_SWEEP_S = 60.0


class LostHold(Exception):
    """Another router looks after the batch by now."""


class BatchClerk:
    """One per router; `run` beside the requests.

    Args:
        batches: the batches' requests and results.
        steps: the batches' states.
        files: input and output.
        settings: how large, how long.
        router: boot id of this one.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        batches: "BatchStore",
        steps: "BatchSteps",
        files: "FileStore",
        settings: BatchSettings,
        *,
        router: str,
        clock: Callable[[], float],
    ) -> None:
        self._batches = batches
        self._steps = steps
        self._files = files
        self._settings = settings
        self._router = router
        self._clock = clock
        self._swept_at = float("-inf")
        self.ended = 0  # batches

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.sweep()
                while await self.step():
                    pass
            except DatabaseAway:
                pass  # the runner says so
            except Exception:
                logger.exception("looking after batches failed")
            await asyncio.sleep(self._settings.poll_s)

    async def sweep(self) -> None:
        """Once in a while. Raises DatabaseAway."""
        if self._clock() - self._swept_at >= _SWEEP_S:
            self._swept_at = self._clock()
            await self._files.sweep()
            await self._steps.sweep(self._settings.keep_s, _UNLOADED_S)

    async def step(self) -> bool:
        """Do what is next for one batch. False: nothing is to be done. Raises DatabaseAway."""
        batch = await self._steps.take(self._router, self._settings.lease_s)
        if batch is None:
            return False
        try:
            await self._look_after(batch)
        except (LostHold, FileGone) as lost:
            logger.info("%s: taken up again later: %r", batch.id, lost)
        except DatabaseAway:
            raise
        except Exception:  # it is tried again when the lease is over, and not at once
            logger.exception("%s: unexpected failure", batch.id)
            return True
        with suppress(DatabaseAway):
            await self._steps.leave(self._router, batch.id)
        return True

    async def _look_after(self, batch: BatchRecord) -> None:
        shown = batch.shown
        if shown.status is Status.IN_PROGRESS:
            await self._steps.close(self._router, batch.id)
        elif shown.status is not Status.VALIDATING:
            await self._end(batch)
        elif shown.input_file is None:
            await self._steps.begin(self._router, batch.id, shown.total, shown.model)
        else:
            await self._load(batch, shown.input_file)

    async def _load(self, batch: BatchRecord, input_file: str) -> None:
        async def add(requests: list[NewRequest]) -> None:
            await self._hold(batch)
            await self._batches.add(batch.id, requests)

        if await self._files.get(batch.workspace, input_file) is None:
            gone = Problem("input_file_id: the file is gone", param="input_file_id")
            await self._steps.fail(self._router, batch.id, [gone])
            self.ended += 1
            return
        common = Common(batch.shown.endpoint, provider=batch.provider)
        loaded = await load(self._files.read(input_file), common, self._settings, add)
        if loaded.problems:
            await self._steps.fail(self._router, batch.id, loaded.problems)
            self.ended += 1
        else:
            await self._steps.begin(self._router, batch.id, loaded.total, loaded.model)

    async def _end(self, batch: BatchRecord) -> None:
        failure = CANCELLED if batch.outcome is Status.CANCELLED else EXPIRED
        while await self._steps.close_requests(batch.id, failure):
            await self._hold(batch)
        if batch.shown.input_file is None:
            self.ended += await self._steps.end(self._router, batch.id)
            return
        async with AsyncExitStack() as stack:
            made = {False: _Output(self._files, batch, "output"), True: _Output(self._files, batch, "error")}
            held_at = self._clock()
            async for result in self._batches.results(batch.id):
                if self._clock() - held_at >= self._settings.lease_s / 3:
                    held_at = self._clock()
                    await self._hold(batch)
                output = made[result.failure is not None]
                if output.writer is None:
                    output.writer = await stack.enter_async_context(output.make())
                await output.writer.write(result_line(result))
            keep_s = batch.output_keep_s or self._settings.keep_s
            ends: list[tuple[FileWriter, FileEnd]] = [
                (each.writer, await each.writer.finish(OUTPUT, keep_s))
                for each in made.values()
                if each.writer is not None
            ]

            async def within(connection: "AsyncConnection") -> None:
                for writer, end in ends:
                    await writer.end_within(connection, end)

            ids = {is_error: each.writer.id for is_error, each in made.items() if each.writer is not None}
            if await self._steps.end(
                self._router, batch.id, output_file=ids.get(False), error_file=ids.get(True), within=within
            ):
                self.ended += 1
                for writer, _ in ends:
                    writer.ended()

    async def _hold(self, batch: BatchRecord) -> None:
        """Go on holding it. Raises LostHold."""
        if not await self._steps.renew(self._router, batch.id, self._settings.lease_s):
            raise LostHold(batch.id)


class _Output:
    """A file that is made when the first line for it comes."""

    def __init__(self, files: "FileStore", batch: BatchRecord, kind: str) -> None:
        self._files = files
        self._new = NewFile(batch.workspace, f"{batch.id}_{kind}.jsonl", batch.key, is_bounded=False)
        self.writer: FileWriter | None = None

    def make(self) -> FileWriter:
        return FileWriter(self._files, self._new)
