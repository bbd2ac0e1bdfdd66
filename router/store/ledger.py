"""The ledger: one row for each generation, and the only thing that spends.

What the rows of a batch cost is added up in the transaction that inserts them, and only of those that were not there
yet: whatever is written twice, by whomever, counts once. The same transaction takes it off the lease of the router that
served the generation: what was held for it has become spending.

All routers lock rows in the same order, so none waits for one that waits for it: generations, spend, leases, keys, each
sorted byte by byte. Generations come first, because they take long and nobody waits for them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import Interval, Window
from router.protocol.entry import Entry
from router.store import lease_rows, spending
from router.store.database import Database
from router.store.entry_rows import fit, from_row, to_row
from router.store.schema import generations, keys
from router.store.text import is_storable

# rows of one statement: drivers keep what they have prepared of each text, and texts differ by their number of rows
ROWS_AT_ONCE = 32


class LedgerStore:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entries: Sequence[Entry]) -> int:
        """How many of them were new. Nothing in them is refused: texts are cut and cleaned, numbers are bounded."""
        batch: dict[str, Entry] = {}
        for entry in entries:
            fitted = fit(entry)
            batch.setdefault(fitted.id, fitted)
        if not batch:
            return 0
        async with self._database.writing() as connection:
            new = [batch[each] for each in await self._insert(connection, [batch[each] for each in sorted(batch)])]
            costs: defaultdict[tuple[Window, str], int] = defaultdict(int)
            for entry in new:
                for window in windows_of(entry) if entry.cost else ():
                    costs[window, entry.router] += entry.cost
            amounts: defaultdict[Window, int] = defaultdict(int)
            for (window, _), cost in costs.items():
                amounts[window] += cost
            await spending.add(self._database, connection, amounts)
            # rows of `spend` are locked by now: nobody is lent more of these windows meanwhile
            await lease_rows.shrink(connection, costs)
            await _touch_keys(connection, new)
        return len(new)

    async def find(self, generation: str) -> Entry | None:
        """None: it is not there, or not yet."""
        if not is_storable(generation):
            return None
        async with self._database.reading() as connection:
            row = (await connection.execute(select(generations).where(generations.c.id == generation))).first()
        return None if row is None else from_row(row)

    async def spent(self, windows: Iterable[Window]) -> dict[Window, int]:
        """Nano-dollars of each, as far as they are written."""
        async with self._database.reading() as connection:
            return await spending.spent(connection, windows)

    async def _insert(self, connection: AsyncConnection, entries: Sequence[Entry]) -> list[str]:
        insert = self._database.insert(generations).on_conflict_do_nothing(index_elements=["id"])
        returning = insert.returning(generations.c.id).execution_options(insertmanyvalues_page_size=ROWS_AT_ONCE)
        rows = [to_row(entry) for entry in entries]
        return list((await connection.execute(returning, rows)).scalars())


def windows_of(entry: Entry) -> list[Window]:
    """Into which it counts: eight."""
    owners = (f"key:{entry.key}", f"workspace:{entry.workspace}")
    return [Window(owner, each, each.start(entry.created)) for owner in owners for each in Interval]


async def _touch_keys(connection: AsyncConnection, entries: Iterable[Entry]) -> None:
    last: dict[str, float] = {}
    for entry in entries:
        last[entry.key] = max(entry.created, last.get(entry.key, entry.created))
    if not last:
        return
    at = bindparam("at", type_=keys.c.last_used_at.type)
    is_later = keys.c.last_used_at.is_(None) | (keys.c.last_used_at < at)
    touch = update(keys).where(keys.c.id == bindparam("the_key"), is_later).values(last_used_at=at)
    await connection.execute(touch, [{"the_key": key, "at": last[key]} for key in sorted(last)])
