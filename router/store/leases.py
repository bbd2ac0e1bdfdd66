"""Who holds how much of a budget: see `policy/lending.py`, and decision 11.

    limit − spent − what all routers hold (the asking one too) = what is left
    nothing left                                              → nothing granted
    something left                                            → max(need, min(wish, left))

So a request that waits gets what it needs as long as anything at all is left, and a limit is overdrawn by one request's
need at most. Whoever asks for a window's budget, and whoever writes rows that spend it, locks the window's row of
`spend` first: between reading what is left and taking it nothing changes. Time is the database's alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import Window
from router.policy.lending import Grant, Want
from router.store import lease_rows, spending
from router.store.database import Database
from router.store.lease_rows import LeaseRow
from router.store.schema import leases

# seconds after the end of a day, week or month: requests that began in it may still be on their way
LINGERS_S = 3_600.0

# windows of one transaction: three parameters each, of the 32,766 that a statement may have
AT_ONCE = 4_000

_THIS = tuple_(leases.c.owner, leases.c.interval, leases.c.start)


class LeaseStore:
    """Routers are named by their boot ids. All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def borrow(self, router: str, wants: Sequence[Want], ttl_s: float) -> list[Grant]:
        """Answers in the order of the wants; of two for the same window the second comes on top of the first.

        Args:
            ttl_s: what was granted is free again after so many seconds without `renew`.
        """
        grants: list[Grant] = []
        for first in range(0, len(wants), AT_ONCE):
            grants += await self._borrow(router, wants[first : first + AT_ONCE], ttl_s)
        return grants

    async def _borrow(self, router: str, wants: Sequence[Want], ttl_s: float) -> list[Grant]:
        windows = {want.window for want in wants}
        async with self._database.writing() as connection:
            spent = await spending.lock(self._database, connection, windows)
            rows = await lease_rows.lock(connection, _THIS.in_([_key(window) for window in windows]))
            now = await self._now(connection)
            own: defaultdict[Window, int] = defaultdict(int)
            all_: defaultdict[Window, int] = defaultdict(int)
            for row in rows:
                if row.expires_at > now:
                    all_[row.window] += row.nano
                    own[row.window] += row.nano if row.router == router else 0
            grants = []
            for want in wants:
                window = want.window
                granted = grant(want, want.limit - spent[window] - all_[window])
                all_[window] += granted
                own[window] += granted
                grants.append(Grant(window, held=own[window], granted=granted, spent=spent[window]))
            taken = {each.window: own[each.window] for each in grants if each.granted}
            await self._hold(connection, router, taken, now + ttl_s)
        return grants

    async def renew(self, router: str, ttl_s: float) -> dict[Window, int]:
        """The router lives: what it holds by now, for another `ttl_s`. Windows that are not named are not held.

        Drops what has expired, of anybody: what has, is never held again, because it may have been lent to others.
        """
        async with self._database.writing() as connection:
            rows = await lease_rows.lock(connection, leases.c.router == router)
            now = await self._now(connection)
            kept = [row for row in rows if _is_of_use(row, now)]
            await _delete(connection, router, [row for row in rows if not _is_of_use(row, now)])
            for these in _these(kept):
                mine = update(leases).where(leases.c.router == router, these)
                await connection.execute(mine.values(expires_at=now + ttl_s))
            await self._drop_expired(connection, now)
        return {row.window: row.nano for row in kept}

    async def give_back(self, router: str, amounts: Mapping[Window, int]) -> None:
        """So much of what the router holds is free again."""
        async with self._database.writing() as connection:
            await lease_rows.shrink(connection, {(window, router): nano for window, nano in amounts.items()})

    async def retire(self, router: str) -> None:
        """All that the router holds is free again: nothing that it served is still to be written."""
        async with self._database.writing() as connection:
            await _delete(connection, router, await lease_rows.lock(connection, leases.c.router == router))

    async def held(self, window: Window) -> int:
        """Nano-dollars that all routers hold of it together."""
        alive = leases.c.expires_at > self._database.clock
        async with self._database.reading() as connection:
            rows = await connection.execute(select(leases.c.nano).where(_THIS.in_([_key(window)]), alive))
            return sum(rows.scalars())

    async def _now(self, connection: AsyncConnection) -> float:
        """Asked when every lock is had: waiting for one takes time."""
        return (await connection.execute(select(self._database.clock))).scalar_one()

    async def _hold(
        self, connection: AsyncConnection, router: str, amounts: Mapping[Window, int], expires_at: float
    ) -> None:
        if not amounts:
            return
        values = [
            spending.columns_of(window) | {"router": router, "nano": amounts[window], "expires_at": expires_at}
            for window in spending.in_order(amounts)
        ]
        insert = self._database.insert(leases)
        held = {"nano": insert.excluded.nano, "expires_at": insert.excluded.expires_at}
        await connection.execute(insert.on_conflict_do_update(index_elements=leases.primary_key, set_=held), values)

    async def _drop_expired(self, connection: AsyncConnection, now: float) -> None:
        """Those that nobody is looking at; the others are dropped the next time."""
        primary = tuple(leases.primary_key)
        expired = select(*primary).where(leases.c.expires_at <= now).with_for_update(skip_locked=True)
        await connection.execute(delete(leases).where(tuple_(*primary).in_(expired)))


def grant(want: Want, left: int) -> int:
    """Nano-dollars of it, by the rule above.

    Args:
        left: of the limit, less what is spent and held.
    """
    return max(want.need, min(want.wish, left), 0) if left + want.have > 0 else 0


def _is_of_use(row: LeaseRow, now: float) -> bool:
    end = row.window.interval.end(row.window.start)
    return row.nano > 0 and row.expires_at > now and (end is None or now < end + LINGERS_S)


def _key(window: Window) -> tuple[str, str, int]:
    return window.owner, window.interval.value, window.start


async def _delete(connection: AsyncConnection, router: str, rows: Sequence[LeaseRow]) -> None:
    for these in _these(rows):
        await connection.execute(delete(leases).where(leases.c.router == router, these))


def _these(rows: Sequence[LeaseRow]) -> Iterator[ColumnElement[bool]]:
    """Only rows that are locked: in which order a statement would lock others is anybody's guess."""
    for first in range(0, len(rows), AT_ONCE):
        yield _THIS.in_([_key(row.window) for row in rows[first : first + AT_ONCE]])
