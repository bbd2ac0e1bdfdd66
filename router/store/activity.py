"""Usage by day, model and pool, added up from the ledger when somebody asks: there is no second count to go wrong.

Rows are found by the time they came, or by their key or workspace and the time, each an index. Each day is a statement
of its own, so that what one may take is enough for a day, and nobody waits behind a month of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, func, select

from router.store.database import Database
from router.store.schema import generations, keys
from router.store.text import is_storable

DAY_S = 86_400
MOST = 50_000  # rows of one answer: some 15 MB of JSON; whoever has more asks for one day, key or workspace


@dataclass(frozen=True, slots=True)
class Activity:
    """All requests of one day (and workspace) that one pool served for one model."""

    day: int  # unix seconds of its midnight
    model: str
    pool: str
    provider: str
    workspace: str | None  # None: of all
    requests: int
    cost: int  # nano-dollars
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows. `since` and `until` are midnights, unix seconds; the second is not within."""

    since: int
    until: int
    key: str | None = None
    creator: str | None = None  # of the keys
    workspace: str | None = None
    by_workspace: bool = False


class ActivityStore:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database, most: int = MOST) -> None:
        """`most`: rows of one answer."""
        self._database = database
        self._most = most

    async def rows(self, wanted: Wanted) -> Sequence[Activity] | None:
        """The latest day first. None: they are more than one answer holds."""
        if not all(is_storable(text) for text in (wanted.key, wanted.creator, wanted.workspace) if text is not None):
            return []
        found: list[Activity] = []
        for day in range(wanted.until - DAY_S, wanted.since - 1, -DAY_S):
            asked = _of_day(wanted, day).limit(self._most + 1 - len(found))
            async with self._database.reading() as connection:
                found += [_activity(row, wanted.by_workspace) for row in await connection.execute(asked)]
            if len(found) > self._most:
                return None
        return found


def _of_day(wanted: Wanted, day: int) -> Select[tuple[object, ...]]:
    groups = [generations.c[name] for name in ("model", "pool", "provider")]
    if wanted.by_workspace:
        groups.append(generations.c.workspace)
    sums = [func.sum(generations.c[name]).cast(generations.c[name].type).label(name) for name in _SUMMED]
    columns = (func.min(generations.c.day).label("day"), *groups, func.count().label("requests"), *sums)
    return select(*columns).where(*_conditions(wanted, day)).group_by(*groups).order_by(*groups)


def _conditions(wanted: Wanted, day: int) -> list[ColumnElement[bool]]:
    columns = generations.c
    conditions = [columns.created >= day, columns.created < day + DAY_S, columns.pool != ""]
    if wanted.key is not None:
        conditions.append(columns.key == wanted.key)
    if wanted.creator is not None:
        conditions.append(columns.key.in_(select(keys.c.id).where(keys.c.creator == wanted.creator)))
    if wanted.workspace is not None:
        conditions.append(columns.workspace == wanted.workspace)
    return conditions


def _activity(row: Row[tuple[object, ...]], by_workspace: bool) -> Activity:
    return Activity(
        day=row.day,
        model=row.model,
        pool=row.pool,
        provider=row.provider,
        workspace=row.workspace if by_workspace else None,
        requests=row.requests,
        cost=row.cost,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        reasoning_tokens=row.reasoning_tokens,
        cached_tokens=row.cached_tokens,
    )


_SUMMED = ("cost", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
