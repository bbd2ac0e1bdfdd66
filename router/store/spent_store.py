"""What keys and workspaces have spent, for those who ask about themselves."""

from collections.abc import Callable, Collection

from router.store.database import Database
from router.store.key_records import Spent
from router.store.spending import spent_by


class SpentStore:
    """Raises DatabaseAway."""

    def __init__(self, database: Database, wall_clock: Callable[[], float]) -> None:
        """`wall_clock`: unix seconds."""
        self._database = database
        self._wall_clock = wall_clock

    async def by(self, owners: Collection[str]) -> dict[str, Spent]:
        """Of each owner (`key:<id>`, `workspace:<id>`), in the windows of this moment."""
        async with self._database.reading() as connection:
            return await spent_by(connection, owners, self._wall_clock())
