"""Batches as their callers see them: made, looked at, cancelled, deleted. What runs them has `batch_work`.

A batch that comes with its requests is written in several transactions, each a portion of them, and is seen by nobody
before the last. Times by which routers decide are the database's.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.batch import Status
from router.protocol.batch_answer import NOTHING_USED, Used
from router.protocol.batch_object import NONE_DONE, Counts, Result
from router.protocol.errors import ApiError
from router.store.batch_records import BatchRecord, NewBatch, NewRequest
from router.store.batch_rows import batch_record, result_record
from router.store.database import Database
from router.store.schema import batch_requests, batch_results, batches, files
from router.store.text import check, is_storable
from router.store.workspaces import demand_workspace

OVER = tuple(status.value for status in Status if status.is_over)
PORTION = 64  # results of one statement, when many are read: their bodies are held in memory
_NOTHING = (NONE_DONE, NOTHING_USED)
WAITING, RUNNING, DONE = "waiting", "running", "done"


class BatchStore:
    """All methods raise DatabaseAway."""

    def __init__(
        self,
        database: Database,
        wall_clock: Callable[[], float],
        new_id: Callable[[], str] = lambda: f"batch_{uuid4().hex}",
    ) -> None:
        self._database = database
        self._wall_clock = wall_clock
        self._new_id = new_id

    async def create(self, new: NewBatch, *, active: int) -> BatchRecord:
        """One that nobody sees before `loaded`.

        Args:
            new: what it is.
            active: how many of a workspace's may not have ended, this one included.

        Raises:
            ApiError: 400, something cannot be stored; 429, too many are under way.
        """
        check("model", new.model)
        for field, text in (("metadata", new.metadata), ("provider", new.provider)):
            check(field, None if text is None else text.decode())
        now = self._wall_clock()
        async with self._database.writing() as connection:
            await demand_workspace(connection, new.workspace)
            is_active = and_(batches.c.workspace == new.workspace, batches.c.status.not_in(OVER))
            count = select(func.count()).select_from(batches).where(is_active)
            if (await connection.execute(count)).scalar_one() >= active:
                message = f"A workspace has at most {active} batches at a time (batches.active); wait for one to end."
                raise ApiError("rate_limit_exceeded", message, limit="batches_active")
            insert = (
                self._database.insert(batches)
                .values(
                    id=self._new_id(),
                    workspace=new.workspace,
                    key=new.key,
                    endpoint=new.endpoint,
                    model=new.model,
                    provider=None if new.provider is None else new.provider.decode(),
                    metadata=None if new.metadata is None else new.metadata.decode(),
                    window_h=new.window_h,
                    input_file=new.input_file,
                    output_keep_s=new.output_keep_s,
                    status=Status.VALIDATING.value,
                    is_loaded=False,
                    total=0,
                    created_at=now,
                    expires_at=now + new.window_h * 3_600,
                )
                .returning(batches)
            )
            return batch_record((await connection.execute(insert)).one())

    async def add(self, batch: str, requests: Sequence[NewRequest]) -> None:
        """More of its requests. Saying it twice does no harm."""
        rows = [
            {
                "batch": batch,
                "number": request.number,
                "custom_id": request.custom_id,
                "body": request.body,
                "state": WAITING,
                "ready_at": 0.0,
                "claims": 0,
                "failures": 0,
            }
            for request in requests
        ]
        async with self._database.writing() as connection:
            await connection.execute(self._database.insert(batch_requests).on_conflict_do_nothing(), rows)

    async def loaded(self, batch: str, total: int) -> BatchRecord | None:
        """It is there now, with so many requests (0: they are still in a file). None: it is gone."""
        there = update(batches).where(batches.c.id == batch).values(is_loaded=True, total=total).returning(batches)
        async with self._database.writing() as connection:
            row = (await connection.execute(there)).first()
        return None if row is None else batch_record(row)

    async def drop(self, batch: str) -> None:
        """Whatever is there of it."""
        async with self._database.writing() as connection:
            await connection.execute(delete(batches).where(batches.c.id == batch))

    async def get(self, workspace: str, batch: str) -> BatchRecord | None:
        """None: there is none."""
        if not is_storable(batch):
            return None
        wanted = select(batches).where(_is(workspace, batch))
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).first()
            if row is None:
                return None
            told = await _sums(connection, [row.id])
            return batch_record(row, *told.get(row.id, _NOTHING))

    async def page(
        self,
        workspace: str,
        *,
        after: str | None = None,
        limit: int = 20,
        statuses: Collection[Status] = (),
        created_after: float | None = None,
        created_before: float | None = None,
    ) -> list[BatchRecord] | None:
        """The newest first, behind `after`; None: there is no such batch."""
        wanted = select(batches).where(batches.c.workspace == workspace, batches.c.is_loaded)
        if statuses:
            wanted = wanted.where(batches.c.status.in_([status.value for status in statuses]))
        if created_after is not None:
            wanted = wanted.where(batches.c.created_at > created_after)
        if created_before is not None:
            wanted = wanted.where(batches.c.created_at < created_before)
        async with self._database.reading() as connection:
            if after is not None:
                if not is_storable(after):
                    return None
                row = (await connection.execute(select(batches.c.created_at).where(_is(workspace, after)))).first()
                if row is None:
                    return None
                beside = and_(batches.c.created_at == row.created_at, batches.c.id < after)
                wanted = wanted.where(or_(batches.c.created_at < row.created_at, beside))
            wanted = wanted.order_by(batches.c.created_at.desc(), batches.c.id.desc()).limit(limit)
            rows = (await connection.execute(wanted)).all()
            told = await _sums(connection, [row.id for row in rows])
            return [batch_record(row, *told.get(row.id, _NOTHING)) for row in rows]

    async def results(self, batch: str) -> AsyncIterator[Result]:
        """In the order of its requests; each portion in a transaction of its own."""
        number = -1
        while True:
            wanted = select(batch_results).where(batch_results.c.batch == batch, batch_results.c.number > number)
            async with self._database.reading() as connection:
                rows = (await connection.execute(wanted.order_by(batch_results.c.number).limit(PORTION))).all()
            for row in rows:
                yield result_record(row)
            if len(rows) < PORTION:
                return
            number = rows[-1].number

    async def cancel(self, workspace: str, batch: str) -> BatchRecord | None:
        """What is not done of it is not done any more. None: there is none that could be cancelled."""
        may_be = (Status.VALIDATING.value, Status.IN_PROGRESS.value)
        change = (
            update(batches)
            .where(_is(workspace, batch), batches.c.status.in_(may_be))
            .values(
                status=Status.CANCELLING.value,
                outcome=Status.CANCELLED.value,
                cancelling_at=self._wall_clock(),
            )
            .returning(batches.c.id)
        )
        async with self._database.writing() as connection:
            if is_storable(batch) and (await connection.execute(change)).first() is None:
                return None
        return await self.get(workspace, batch)

    async def delete(self, workspace: str, batch: str) -> bool:
        """With its results, and the files that it made. Whether there was one that had ended."""
        if not is_storable(batch):
            return False
        gone = (
            delete(batches)
            .where(_is(workspace, batch), batches.c.status.in_(OVER))
            .returning(batches.c.output_file, batches.c.error_file)
        )
        async with self._database.writing() as connection:
            row = (await connection.execute(gone)).first()
            if row is None:
                return False
            made = [file for file in row if file is not None]
            await connection.execute(delete(files).where(files.c.id.in_(made), files.c.workspace == workspace))
            return True


async def _sums(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, tuple[Counts, Used]]:
    """Of each batch that has results."""
    table = batch_results.c
    used = (table.prompt_tokens, table.cached_tokens, table.completion_tokens, table.reasoning_tokens, table.cost)
    summed = (
        select(
            table.batch,
            func.count().label("done"),
            func.count(table.error_type).label("failed"),
            *(func.sum(column).label(column.name) for column in used),
        )
        .where(table.batch.in_(ids))
        .group_by(table.batch)
    )
    return {
        row.batch: (
            Counts(completed=row.done - row.failed, failed=row.failed),
            Used(*(int(getattr(row, column.name)) for column in used)),
        )
        for row in await connection.execute(summed)
    }


def _is(workspace: str, batch: str) -> ColumnElement[bool]:
    return and_(batches.c.id == batch, batches.c.workspace == workspace, batches.c.is_loaded)
