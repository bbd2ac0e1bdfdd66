"""Writing rows that may be bad: each that the database refuses is found by halving the batch until it is alone."""

from collections.abc import Sequence
from typing import Protocol

from router.protocol.entry import Entry
from router.store.away import DatabaseAway


class Ledger(Protocol):
    """The database's side."""

    async def write(self, entries: Sequence[Entry]) -> int:
        """All of them in one transaction; those that it has are passed over. How many were new.

        Raises:
            DatabaseAway: some or all may have been written nevertheless.
        """
        ...


async def write_apart(ledger: Ledger, entries: Sequence[Entry]) -> dict[str, str]:
    """Write all that can be.

    Returns:
        Ids of those that are refused, each for itself, with the name of the error.

    Raises:
        DatabaseAway: some or all may have been written.
    """
    try:
        await ledger.write(entries)
    except DatabaseAway:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a row
        if len(entries) == 1:
            return {entries[0].id: type(error).__name__}
        middle = len(entries) // 2
        return await write_apart(ledger, entries[:middle]) | await write_apart(ledger, entries[middle:])
    return {}
