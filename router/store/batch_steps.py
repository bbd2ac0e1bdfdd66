"""What becomes of a batch as a whole: it begins, it is closed, it ends. One router at a time looks after it.

    validating ─begin─▶ in_progress ─close─▶ finalizing ─end─▶ completed, expired
         └─fail─▶ failed        (cancel) ──▶ cancelling ─end─▶ cancelled

A router that dies in the middle leaves a lease that runs out; each step may be taken again.
"""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import Update, and_, case, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.batch import Status
from router.protocol.batch_answer import Failure
from router.protocol.batch_object import Problem, Result
from router.store.batch_records import BatchRecord
from router.store.batch_rows import batch_record, columns_of_result, problems_json
from router.store.batches import DONE, OVER, RUNNING, WAITING
from router.store.database import Database
from router.store.schema import batch_requests, batch_results, batches

PORTION = 500  # requests closed in one transaction
_of = batch_requests.c
_VALIDATING, _IN_PROGRESS = Status.VALIDATING.value, Status.IN_PROGRESS.value
_FINALIZING, _CANCELLING = Status.FINALIZING.value, Status.CANCELLING.value


class BatchSteps:
    """All methods raise DatabaseAway. But for `take` and `sweep`, they do nothing for who does not hold the batch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, router: str, lease_s: float) -> BatchRecord | None:
        """A batch that something has to be done for, for this router to do. None: there is none."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            running = exists(select(_of.number).where(_of.batch == batches.c.id, _of.state == RUNNING))
            waiting = exists(select(_of.number).where(_of.batch == batches.c.id, _of.state == WAITING))
            is_due = or_(
                batches.c.status == _VALIDATING,
                and_(batches.c.status.in_((_FINALIZING, _CANCELLING)), ~running),
                and_(batches.c.status == _IN_PROGRESS, or_(batches.c.expires_at <= now, ~(running | waiting))),
            )
            is_free = or_(batches.c.lease_until.is_(None), batches.c.lease_until <= now)
            wanted = select(batches.c.id).where(batches.c.is_loaded, is_due, is_free)
            wanted = wanted.order_by(batches.c.created_at).limit(1).with_for_update(skip_locked=True)
            found = (await connection.execute(wanted)).first()
            if found is None:
                return None
            mine = update(batches).where(batches.c.id == found.id).values(holder=router, lease_until=now + lease_s)
            return batch_record((await connection.execute(mine.returning(batches))).one())

    async def renew(self, router: str, batch: str, lease_s: float) -> bool:
        """Whether this router still holds it."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            kept = _mine(router, batch).values(lease_until=now + lease_s).returning(batches.c.id)
            return (await connection.execute(kept)).first() is not None

    async def leave(self, router: str, batch: str) -> None:
        """Somebody else may look after it."""
        async with self._database.writing() as connection:
            await connection.execute(_mine(router, batch).values(holder=None, lease_until=None))

    async def begin(self, router: str, batch: str, total: int, model: str) -> None:
        """All its requests are there."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            is_new = batches.c.status == _VALIDATING  # or it was cancelled meanwhile
            values = {
                "status": case((is_new, _IN_PROGRESS), else_=batches.c.status),
                "in_progress_at": case((is_new, now), else_=batches.c.in_progress_at),
                "total": total,
                "model": model,
            }
            await connection.execute(_mine(router, batch).values(values))

    async def fail(self, router: str, batch: str, problems: Sequence[Problem]) -> None:
        """It cannot be run."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            mine = _mine(router, batch).where(batches.c.status == _VALIDATING)
            values = {"status": Status.FAILED.value, "ended_at": now, "errors": problems_json(tuple(problems))}
            failed = (await connection.execute(mine.values(values).returning(batches.c.id))).first()
            if failed is not None:
                await connection.execute(delete(batch_requests).where(_of.batch == batch))

    async def close(self, router: str, batch: str) -> None:
        """Nothing more of it is begun, because all is done or its time is over."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            open_ = exists(select(_of.number).where(_of.batch == batch, _of.state != DONE))
            mine = _mine(router, batch).where(batches.c.status == _IN_PROGRESS)
            outcome = case((open_, Status.EXPIRED.value), else_=Status.COMPLETED.value)
            await connection.execute(mine.values(status=_FINALIZING, finalizing_at=now, outcome=outcome))

    async def close_requests(self, batch: str, failure: Failure) -> int:
        """Some of those that wait are done, by an error; how many. 0: none waits any more."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            waiting = select(_of.number, _of.custom_id).where(_of.batch == batch, _of.state == WAITING)
            found = waiting.order_by(_of.number).limit(PORTION).with_for_update(skip_locked=True)
            rows = (await connection.execute(found)).all()
            if rows:
                results = [Result(batch, row.number, row.custom_id, failure=failure) for row in rows]
                columns = [columns_of_result(result, now) for result in results]
                await connection.execute(self._database.insert(batch_results), columns)
                these = and_(_of.batch == batch, _of.number.in_([row.number for row in rows]))
                await connection.execute(update(batch_requests).where(these).values(state=DONE, body=b""))
            return len(rows)

    async def end(
        self,
        router: str,
        batch: str,
        *,
        output_file: str | None = None,
        error_file: str | None = None,
        within: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    ) -> bool:
        """It has its outcome. `within`: done in the same transaction.

        False: somebody else holds it by now, or a request of it was begun at the last moment.
        """
        async with self._database.writing() as connection:
            now = await self._now(connection)
            open_ = exists(select(_of.number).where(_of.batch == batch, _of.state != DONE))
            mine = _mine(router, batch).where(batches.c.status.in_((_FINALIZING, _CANCELLING)), ~open_)
            values = {
                "status": batches.c.outcome,
                "ended_at": now,
                "output_file": output_file,
                "error_file": error_file,
                "holder": None,
                "lease_until": None,
            }
            if (await connection.execute(mine.values(values).returning(batches.c.id))).first() is None:
                return False
            if within is not None:
                await within(connection)
            await connection.execute(delete(batch_requests).where(_of.batch == batch))
            return True

    async def sweep(self, keep_s: float, unloaded_s: float) -> int:
        """Delete what ended long ago, and what its router died over while it wrote it; how many that were."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            is_old = and_(batches.c.status.in_(OVER), batches.c.ended_at < now - keep_s)
            is_left = and_(~batches.c.is_loaded, batches.c.created_at < now - unloaded_s)
            gone = delete(batches).where(or_(is_old, is_left)).returning(batches.c.id)
            return len((await connection.execute(gone)).all())

    async def _now(self, connection: AsyncConnection) -> float:
        return (await connection.execute(select(self._database.clock))).scalar_one()


def _mine(router: str, batch: str) -> Update:
    return update(batches).where(batches.c.id == batch, batches.c.holder == router)
