"""How many attempts came to nothing while another one answered: what engines computed for them is in no row."""

from sqlalchemy import func, select

from router.store.database import Database
from router.store.schema import generations


async def lost_attempts(database: Database, since: float = 0.0, until: float = float("inf")) -> int:
    """Of generations that arrived within [since, until), unix seconds, in all pools: a row knows only the last one's.

    Raises:
        DatabaseAway: as its name says.
    """
    lost = func.coalesce(func.sum(generations.c.attempts - 1), 0).cast(generations.c.attempts.type)
    asked = select(lost).where(
        generations.c.created >= since, generations.c.created < until, generations.c.attempts > 1
    )
    async with database.reading() as connection:
        return int((await connection.execute(asked)).scalar_one())
