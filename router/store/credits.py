"""What may be spent and was, of all workspaces together.

A router's operator sells no credits. A workspace counts with its budget for ever, if it has one, else with what it has
spent: so the total is what was granted, and never less than what was used where nothing was granted.
"""

from dataclasses import dataclass

from sqlalchemy import and_, case, func, literal, select

from router.policy.key import Interval
from router.store.database import Database
from router.store.schema import spend, workspace_budgets

_PREFIX = "workspace:"  # of owners


@dataclass(frozen=True, slots=True)
class Credits:
    """Nano-dollars."""

    total: int
    used: int


class CreditStore:
    """Raises DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Credits:
        """In two statements, which read one row for each workspace."""
        lifetime = Interval.LIFETIME.value
        granted = select(workspace_budgets.c.workspace, workspace_budgets.c.limit_nano).where(
            workspace_budgets.c.interval == lifetime
        )
        limits = granted.subquery()
        owned = and_(spend.c.owner == literal(_PREFIX) + limits.c.workspace)
        is_workspace = and_(spend.c.owner.startswith(_PREFIX, autoescape=True), spend.c.interval == lifetime)
        free = case((limits.c.workspace.is_(None), spend.c.nano), else_=0)
        sums = (
            select(
                func.coalesce(func.sum(spend.c.nano), 0).cast(spend.c.nano.type),
                func.coalesce(func.sum(free), 0).cast(spend.c.nano.type),
            )
            .select_from(spend.outerjoin(limits, owned))
            .where(is_workspace)
        )
        budgets = select(func.coalesce(func.sum(limits.c.limit_nano), 0).cast(spend.c.nano.type))
        async with self._database.reading() as connection:
            await self._database.freeze(connection)
            used, without_budget = (await connection.execute(sums)).one()
            granted_nano = (await connection.execute(budgets)).scalar_one()
        return Credits(total=granted_nano + without_budget, used=used)
