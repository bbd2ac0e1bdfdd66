"""What all keys of a workspace may spend together.

Budgets of one workspace grow with their interval (a day's below a week's, and so on): otherwise the longer one would
never count.
"""

from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import Interval
from router.protocol.errors import invalid
from router.store import rows
from router.store.columns import check_limit
from router.store.database import Database
from router.store.rule_records import WorkspaceBudget
from router.store.schema import workspace_budgets, workspaces
from router.store.text import check, is_storable

_INTERVALS = tuple(Interval)  # the shortest first


class WorkspaceBudgetStore:
    """Workspaces are named by their id. All methods raise DatabaseAway."""

    def __init__(
        self, database: Database, wall_clock: Callable[[], float], new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> None:
        self._database = database
        self._wall_clock = wall_clock
        self._new_id = new_id

    async def all(self, workspace: str) -> list[WorkspaceBudget]:
        """The shortest interval first."""
        if not is_storable(workspace):
            return []
        async with self._database.reading() as connection:
            return await _budgets(connection, workspace)

    async def put(self, workspace: str, interval: Interval, limit: int) -> WorkspaceBudget:
        """Make or change the one of this interval.

        Raises:
            ApiError: 400, the workspace is not there, or the limit does not fit between the other intervals'.
        """
        check("workspace_id", workspace)
        check_limit("limit_usd", limit)
        if limit == 0:
            raise invalid("limit_usd", "must be above 0")
        now = self._wall_clock()
        async with self._database.writing() as connection:
            # nobody else changes its budgets meanwhile
            lock = select(workspaces.c.id).where(workspaces.c.id == workspace).with_for_update()
            if (await connection.execute(lock)).first() is None:
                raise invalid("workspace_id", "there is no such workspace")
            _check_order(await _budgets(connection, workspace), interval, limit)
            values = {"id": self._new_id(), "workspace": workspace, "interval": interval.value, "limit_nano": limit}
            insert = self._database.insert(workspace_budgets).values(values | {"created_at": now, "updated_at": now})
            upsert = insert.on_conflict_do_update(
                index_elements=["workspace", "interval"], set_={"limit_nano": limit, "updated_at": now}
            )
            return rows.budget((await connection.execute(upsert.returning(workspace_budgets))).one())

    async def delete(self, workspace: str, interval: Interval) -> bool:
        """Whether it was there."""
        if not is_storable(workspace):
            return False
        which = (workspace_budgets.c.workspace == workspace) & (workspace_budgets.c.interval == interval.value)
        async with self._database.writing() as connection:
            return (await connection.execute(delete(workspace_budgets).where(which))).rowcount > 0


async def _budgets(connection: AsyncConnection, workspace: str) -> list[WorkspaceBudget]:
    found = await connection.execute(select(workspace_budgets).where(workspace_budgets.c.workspace == workspace))
    return sorted((rows.budget(row) for row in found), key=lambda each: _INTERVALS.index(each.interval))


def _check_order(budgets: list[WorkspaceBudget], interval: Interval, limit: int) -> None:
    rank = _INTERVALS.index(interval)
    for other in budgets:
        above = _INTERVALS.index(other.interval) - rank
        if above > 0 and limit >= other.limit:
            raise invalid("limit_usd", f"must be below the {other.interval.value} budget")
        if above < 0 and limit <= other.limit:
            raise invalid("limit_usd", f"must be above the {other.interval.value} budget")
