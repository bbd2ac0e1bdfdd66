"""Sends the requests of batches while there is room, a few at a time, and writes down what they come to.

    look (has_room?) → claim → ask, as their key → finish | again          beside it: renew, every third of a lease

What a claim is worth is the database's decision. A router that cannot say for a whole lease that it lives stops what it
runs, because others may have begun it; a batch that was cancelled or is over stops the same way. An answer that is
there is not thrown away: it is written as soon as the database takes it, unless somebody else has written one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Protocol

from router.batches.ask import Answered, AnswerTooLarge, Ask
from router.batches.settings import BatchSettings
from router.policy.batch import fate, turns
from router.policy.key import Key
from router.protocol.batch_answer import Failure, read_failure, read_usage
from router.protocol.batch_object import Result
from router.protocol.batch_submit import ENDPOINTS
from router.protocol.errors import ApiError, render
from router.store.away import DatabaseAway
from router.store.batch_records import Claim, Work
from router.tasks import stop

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.batch_work import BatchWork

logger = logging.getLogger(__name__)

_SHARE = 3  # times that a router says within a lease that it lives


class Finds(Protocol):
    """See `callers.Callers`."""

    async def find(self, key_id: str) -> Key: ...


@dataclass(slots=True)
class _Run:
    """One request under way."""

    work: Work
    task: "asyncio.Task[None] | None" = None
    is_asking: bool = True  # after that there is an answer to write


class BatchRunner:
    """One per router; `run` beside the requests.

    Args:
        work: the database's side.
        ask: sends one request.
        callers: whose it is.
        settings: how many, how long.
        router: boot id of this one.
        has_room: may more be sent? Not while others wait.
        clock: monotonic seconds.
        rng: for turns and delays.
        sleep: between attempts to write while the database is away.
    """

    def __init__(
        self,
        work: "BatchWork",
        ask: Ask,
        callers: Finds,
        settings: BatchSettings,
        *,
        router: str,
        has_room: Callable[[], bool],
        clock: Callable[[], float],
        rng: Random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._work = work
        self._ask = ask
        self._callers = callers
        self._settings = settings
        self._router = router
        self._has_room = has_room
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._running: dict[Claim, _Run] = {}
        self._renewed_at = clock()  # everything that runs was held then
        self._swept_at = clock()
        self._wake = asyncio.Event()
        self._is_away = False
        self.completed = 0  # requests that were answered
        self.failed = 0  # requests whose result is an error
        self.retried = 0  # attempts that failed and are made again
        self.lost = 0  # claims that others had taken over, or that came back after their lease

    @property
    def running(self) -> int:
        """Requests under way."""
        return len(self._running)

    async def run(self) -> None:
        """Until cancelled; what was begun then is given back."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.step()
                    self._is_away = False
                except DatabaseAway as away:
                    if not self._is_away:
                        logger.warning("batches wait: %s", away)
                    self._is_away = True
                except Exception:
                    logger.exception("a look for batches failed")
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_s):
                        await self._wake.wait()
        finally:
            await self.stop()

    async def step(self) -> int:
        """One look; how many requests were begun. Raises DatabaseAway."""
        await self._renew()
        if self._clock() - self._swept_at >= self._settings.lease_s / _SHARE:
            self._swept_at = self._clock()
            self.lost += await self._work.sweep()
        room = self._settings.concurrent - len(self._running)
        if room <= 0 or not self._has_room():
            return 0
        if not self._running:
            self._renewed_at = self._clock()
        share = partial(turns, most=room, rng=self._rng)
        found = await self._work.claim(self._router, share, self._settings.lease_s)
        for work in found:
            run = _Run(work)
            self._running[work.claim] = run
            run.task = asyncio.create_task(self._perform(run))
            run.task.add_done_callback(partial(self._over, work.claim))
        return len(found)

    async def settled(self) -> None:
        """Return when nothing is under way."""
        while self._running:
            await asyncio.wait([run.task for run in self._running.values() if run.task is not None])

    async def stop(self) -> None:
        """What has an answer is written, the rest is anybody's again."""
        writing = [run.task for run in self._running.values() if run.task is not None and not run.is_asking]
        await self._give_up([run for run in self._running.values() if run.is_asking])
        if writing:
            _, late = await asyncio.wait(writing, timeout=self._settings.stop_s)
            await stop(list(late))

    async def _renew(self) -> None:
        since = self._clock() - self._renewed_at
        if not self._running or since < self._settings.lease_s / _SHARE:
            return
        asking = [run for run in self._running.values() if run.is_asking]
        began = self._clock()
        try:
            held = await self._work.renew(self._router, self._settings.lease_s)
        except DatabaseAway:
            if self._clock() - self._renewed_at >= self._settings.lease_s:
                self.lost += await self._give_up(asking)
            raise
        self._renewed_at = began
        self.lost += await self._give_up([run for run in asking if run.work.claim not in held])

    async def _give_up(self, runs: list[_Run]) -> int:
        """End those that have no answer yet, and say so; how many. It may be that they never started."""
        ended = [run for run in runs if run.is_asking and run.task is not None]
        await stop([run.task for run in ended if run.task is not None])
        if ended:
            with suppress(DatabaseAway, TimeoutError):
                async with asyncio.timeout(self._settings.stop_s):
                    await self._work.release(self._router, [run.work.claim for run in ended])
        return len(ended)

    def _over(self, claim: Claim, task: "asyncio.Task[None]") -> None:
        self._running.pop(claim, None)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:  # it comes back by its lease
            logger.error("request %d of %s: unexpected failure", claim.number, claim.batch, exc_info=error)

    async def _perform(self, run: _Run) -> None:
        answered = await self._attempt(run.work)
        run.is_asking = False
        await self._until_written(partial(self._write, run.work, answered))

    async def _attempt(self, work: Work) -> Answered | Failure:
        """A failure is one that trying again would not cure."""
        if work.failures >= self._settings.retry.attempts:
            return Failure("server", f"The request was begun {work.failures} times, and its router ended each time.")
        try:
            key = await self._callers.find(work.key)
            return await self._ask(ENDPOINTS[work.endpoint], work.body, key)
        except ApiError as error:
            return Answered(error.status, render(error), retry_after_s=error.retry_after_s)
        except AnswerTooLarge:
            most = self._settings.answer_bytes
            return Failure("server", f"The answer is larger than {most} bytes (batches.answer_bytes).")
        except Exception:
            logger.exception("request %d of %s: unexpected failure", work.claim.number, work.claim.batch)
            return Answered(500, render(ApiError("server", "Internal Server Error")))

    async def _write(self, work: Work, answered: Answered | Failure) -> None:
        claim, result = work.claim, Result(work.claim.batch, work.claim.number, work.custom_id)
        if isinstance(answered, Failure):
            result = Result(claim.batch, claim.number, work.custom_id, failure=answered)
        else:
            retry = self._settings.retry
            again = fate(answered.status, work.failures, answered.retry_after_s, retry, self._rng)
            if again is not None:
                await self._work.again(self._router, claim, again.delay_s, again.failures)
                self.retried += 1
                return
            is_ok = answered.status < 400
            result = Result(
                claim.batch,
                claim.number,
                work.custom_id,
                status_code=answered.status,
                request_id=answered.request_id,
                body=answered.body,
                failure=None if is_ok else read_failure(answered.status, answered.body),
                **({"used": read_usage(answered.body)} if is_ok else {}),
            )
        if not await self._work.finish(self._router, claim, result):
            self.lost += 1
        elif result.failure is None:
            self.completed += 1
        else:
            self.failed += 1

    async def _until_written(self, write: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await write()
            except DatabaseAway:
                await self._sleep(self._settings.poll_s)
