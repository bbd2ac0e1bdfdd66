"""Requests of batches are handed out to routers: each to one at a time, as long as that one says that it lives.

    waiting ─claim─▶ running ─finish─▶ done                 with its row of results, in the same transaction
       ▲                │ again, release, lease over
       └────────────────┘

A claim has a number of its own, so that a router which was taken for dead cannot end what another one has begun. Rows
are locked where nobody else holds them (`SKIP LOCKED`), so routers never wait for each other here. Time is the
database's.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, exists, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.batch import Ready, Status
from router.protocol.batch_object import Result
from router.store.batch_records import Claim, Work
from router.store.batch_rows import columns_of_result
from router.store.batches import DONE, RUNNING, WAITING
from router.store.database import Database
from router.store.schema import batch_requests, batch_results, batches

MOST_READY = 1_000  # batches among which turns are taken; those beyond wait for these
_table = batch_requests.c
_PRIMARY = tuple_(_table.batch, _table.number)


class BatchWork:
    """Routers are named by their boot ids. All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, router: str, turns: Callable[[Sequence[Ready]], Mapping[str, int]], lease_s: float
    ) -> list[Work]:
        """Requests for this router to run.

        Args:
            router: who.
            turns: how many of each batch, of those that have any.
            lease_s: they are anybody's again after so many seconds without `renew`.
        """
        async with self._database.writing() as connection:
            now = await self._now(connection)
            open_ = and_(_table.batch == batches.c.id, _table.state == WAITING, _table.ready_at <= now)
            runs = and_(_runs(now), exists(select(_table.number).where(open_)))
            wanted = select(batches.c.id, batches.c.workspace, batches.c.key, batches.c.endpoint).where(runs)
            rows = (await connection.execute(wanted.order_by(batches.c.created_at).limit(MOST_READY))).all()
            known = {row.id: row for row in rows}
            shares = turns([Ready(row.id, row.workspace) for row in rows])
            work: list[Work] = []
            for batch in sorted(shares):
                these = and_(_table.batch == batch, _table.state == WAITING, _table.ready_at <= now)
                found = select(batch_requests).where(these).order_by(_table.number).limit(shares[batch])
                for row in await connection.execute(found.with_for_update(skip_locked=True)):
                    claim = Claim(row.batch, row.number, row.claims + 1)
                    about = known[batch]
                    work.append(Work(claim, row.custom_id, about.key, about.endpoint, row.body, row.failures))
            if work:
                mine = _PRIMARY.in_([(each.claim.batch, each.claim.number) for each in work])
                taken = {"state": RUNNING, "holder": router, "lease_until": now + lease_s, "claims": _table.claims + 1}
                await connection.execute(update(batch_requests).where(mine).values(taken))
        return work

    async def renew(self, router: str, lease_s: float) -> set[Claim]:
        """The router lives: what it still runs. What it runs beside these nobody wants any more."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            goes_on = exists(select(batches.c.id).where(batches.c.id == _table.batch, _runs(now)))
            mine = (
                update(batch_requests)
                .where(_table.state == RUNNING, _table.holder == router, goes_on)
                .values(lease_until=now + lease_s)
                .returning(_table.batch, _table.number, _table.claims)
            )
            return {Claim(*row) for row in await connection.execute(mine)}

    async def finish(self, router: str, claim: Claim, result: Result) -> bool:
        """It is done. False: it was somebody else's by now, or nobody's, and the result is not kept."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            done = {"state": DONE, "holder": None, "lease_until": None, "body": b""}
            ended = update(batch_requests).where(_is_mine(router, claim)).values(done).returning(_table.number)
            if (await connection.execute(ended)).first() is None:
                return False
            await connection.execute(self._database.insert(batch_results).values(columns_of_result(result, now)))
            return True

    async def again(self, router: str, claim: Claim, delay_s: float, failures: int) -> None:
        """It failed, and may be begun anew after a while."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            back = {"state": WAITING, "holder": None, "lease_until": None, "ready_at": now + delay_s}
            mine = update(batch_requests).where(_is_mine(router, claim))
            await connection.execute(mine.values(back | {"failures": failures}))

    async def release(self, router: str, claims: Sequence[Claim]) -> None:
        """They were not ended, and anybody may begin them anew at once."""
        async with self._database.writing() as connection:
            for claim in sorted(claims, key=lambda each: (each.batch, each.number)):
                back = {"state": WAITING, "holder": None, "lease_until": None}
                await connection.execute(update(batch_requests).where(_is_mine(router, claim)).values(back))

    async def sweep(self) -> int:
        """What routers had begun that have died is anybody's, and counts as a failure; how many that are."""
        async with self._database.writing() as connection:
            now = await self._now(connection)
            lost = select(_table.batch, _table.number).where(_table.state == RUNNING, _table.lease_until <= now)
            rows = (await connection.execute(lost.with_for_update(skip_locked=True))).all()
            if rows:
                back = {"state": WAITING, "holder": None, "lease_until": None, "failures": _table.failures + 1}
                these = _PRIMARY.in_([tuple(row) for row in rows])
                await connection.execute(update(batch_requests).where(these).values(back))
            return len(rows)

    async def _now(self, connection: AsyncConnection) -> float:
        return (await connection.execute(select(self._database.clock))).scalar_one()


def _runs(now: float) -> ColumnElement[bool]:
    return and_(batches.c.status == Status.IN_PROGRESS.value, batches.c.is_loaded, batches.c.expires_at > now)


def _is_mine(router: str, claim: Claim) -> ColumnElement[bool]:
    return and_(
        _table.batch == claim.batch,
        _table.number == claim.number,
        _table.state == RUNNING,
        _table.holder == router,
        _table.claims == claim.count,
    )
