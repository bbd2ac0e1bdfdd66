"""How much was spent in which window, and the order in which windows are locked."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import Interval, Window
from router.store.database import Database
from router.store.key_records import Spent
from router.store.schema import spend

_AT_ONCE = 4_000  # windows in one statement, which may have 32,766 parameters


def in_order(windows: Iterable[Window]) -> list[Window]:
    """In which every router locks them, so that none waits for one that waits for it.

    It is the database's order too, which compares bytes where Python compares code points.
    """
    return sorted(windows, key=lambda window: (window.owner, window.interval.value, window.start))


def columns_of(window: Window) -> dict[str, str | int]:
    return {"owner": window.owner, "interval": window.interval.value, "start": window.start}


async def add(database: Database, connection: AsyncConnection, amounts: Mapping[Window, int]) -> None:
    """More was spent. Locks the windows' rows."""
    values = [columns_of(window) | {"nano": amounts[window]} for window in in_order(amounts) if amounts[window]]
    if not values:
        return
    insert = database.insert(spend)
    sum_ = {"nano": spend.c.nano + insert.excluded.nano}
    await connection.execute(insert.on_conflict_do_update(index_elements=spend.primary_key, set_=sum_), values)


async def lock(database: Database, connection: AsyncConnection, windows: Collection[Window]) -> dict[Window, int]:
    """What was spent; nobody adds to it, and nobody else locks it, before the transaction is over.

    One pass that makes rows where there are none: with a second one for those, two routers could wait for each other.
    """
    values = [columns_of(window) | {"nano": 0} for window in in_order(set(windows))]
    if not values:
        return {}
    insert = database.insert(spend)
    upsert = insert.on_conflict_do_update(index_elements=spend.primary_key, set_={"nano": spend.c.nano})
    return {
        Window(owner, Interval(interval), start): nano
        for owner, interval, start, nano in await connection.execute(upsert.returning(spend), values)
    }


async def spent(connection: AsyncConnection, windows: Iterable[Window]) -> dict[Window, int]:
    """Nano-dollars of each; 0 where nothing was spent."""
    amounts = dict.fromkeys(windows, 0)
    asked = [(window.owner, window.interval.value, window.start) for window in amounts]
    these = tuple_(spend.c.owner, spend.c.interval, spend.c.start)
    for first in range(0, len(asked), _AT_ONCE):
        rows = await connection.execute(select(spend).where(these.in_(asked[first : first + _AT_ONCE])))
        for owner, interval, start, nano in rows:
            amounts[Window(owner, Interval(interval), start)] = nano
    return amounts


async def spent_by(connection: AsyncConnection, owners: Collection[str], unix_s: float) -> dict[str, Spent]:
    """Of each owner, in the windows that hold `unix_s`."""
    starts = {interval: interval.start(unix_s) for interval in Interval}
    amounts = await spent(connection, (Window(owner, *each) for owner in owners for each in starts.items()))

    def of(owner: str, interval: Interval) -> int:
        return amounts[Window(owner, interval, starts[interval])]

    return {
        owner: Spent(
            total=of(owner, Interval.LIFETIME),
            daily=of(owner, Interval.DAILY),
            weekly=of(owner, Interval.WEEKLY),
            monthly=of(owner, Interval.MONTHLY),
        )
        for owner in owners
    }
