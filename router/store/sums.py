"""Sums over the ledger, for checks: against the engines' counters, and of what was spent against its rows."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select

from router.policy.key import Interval, Window
from router.store.database import Database
from router.store.schema import generations, spend


@dataclass(frozen=True, slots=True)
class PoolSum:
    """All rows of one pool that an engine counted, or that only the router did."""

    pool: str  # "": none was reached
    is_exact: bool
    rows: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost: int  # nano-dollars


@dataclass(frozen=True, slots=True)
class Difference:
    """What was noted as spent in a window is not what its rows cost; nano-dollars."""

    window: Window
    noted: int
    rows: int


class SumStore:
    """Slow on a large ledger, and bounded by `call_s` as every call. All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_pool(self, since: float = 0.0, until: float = float("inf")) -> list[PoolSum]:
        """Of generations that arrived within [since, until), unix seconds."""
        columns = [generations.c[name] for name in _SUMMED]
        sums = [func.coalesce(func.sum(column), 0).cast(column.type) for column in columns]
        asked = (
            select(generations.c.pool, generations.c.is_exact, func.count(), *sums)
            .where(generations.c.created >= since, generations.c.created < until)
            .group_by(generations.c.pool, generations.c.is_exact)
            .order_by(generations.c.pool, generations.c.is_exact)
        )
        async with self._database.reading() as connection:
            return [PoolSum(*row) for row in await connection.execute(asked)]

    async def differences(self) -> list[Difference]:
        """None, ever: both are written in one transaction. Reads the whole ledger."""
        cost = func.sum(generations.c.cost).cast(generations.c.cost.type)
        rows: defaultdict[Window, int] = defaultdict(int)
        noted: dict[Window, int] = {}
        async with self._database.reading() as connection:
            await self._database.freeze(connection)
            for prefix, column in (("key", generations.c.key), ("workspace", generations.c.workspace)):
                for owner, day, nano in await connection.execute(
                    select(column, generations.c.day, cost).group_by(column, generations.c.day)
                ):
                    for interval in Interval:
                        rows[Window(f"{prefix}:{owner}", interval, interval.start(day))] += nano
            for owner, interval, start, nano in await connection.execute(select(spend)):
                noted[Window(owner, Interval(interval), start)] = nano
        return [
            Difference(window, noted.get(window, 0), rows.get(window, 0))
            for window in sorted(noted.keys() | rows.keys(), key=repr)
            if noted.get(window, 0) != rows.get(window, 0)
        ]


_SUMMED = ("prompt_tokens", "cached_tokens", "completion_tokens", "cost")
