"""Answers of `/responses` in the database. Each row holds its whole conversation, so that one read is enough."""

from collections.abc import Callable, Sequence

from sqlalchemy import delete, func, select

from router.protocol.responses.memory import Remembered
from router.store.database import Database
from router.store.response_records import ResponseRecord
from router.store.schema import responses
from router.store.text import is_storable


class ResponseStore:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database, wall_clock: Callable[[], float]) -> None:
        self._database = database
        self._wall_clock = wall_clock

    async def write(self, records: Sequence[ResponseRecord]) -> None:
        """Those that are there already stay as they are."""
        rows = [
            {
                "id": each.answer.id,
                "workspace": each.workspace,
                "key": each.key,
                "previous": each.answer.previous,
                "created_at": each.answer.created,
                "expires_at": each.expires_at,
                "model": each.answer.model,
                "status": each.answer.status,
                "input": each.answer.input,
                "response": each.answer.response,
            }
            for each in records
        ]
        async with self._database.writing() as connection:
            await connection.execute(self._database.insert(responses).on_conflict_do_nothing(), rows)

    async def get(self, workspace: str, response: str) -> Remembered | None:
        """None: it is not there, not this workspace's, or has expired."""
        if not is_storable(response):
            return None
        wanted = select(responses).where(
            responses.c.id == response,
            responses.c.workspace == workspace,
            responses.c.expires_at > self._wall_clock(),
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).first()
        if row is None:
            return None
        return Remembered(
            row.id, int(row.created_at), row.model, row.status, bytes(row.input), bytes(row.response), row.previous
        )

    async def delete(self, workspace: str, response: str) -> bool:
        """Whether it was there. Those that went on from it have what they need."""
        if not is_storable(response):
            return False
        unwanted = delete(responses).where(
            responses.c.id == response,
            responses.c.workspace == workspace,
            responses.c.expires_at > self._wall_clock(),
        )
        async with self._database.writing() as connection:
            return (await connection.execute(unwanted)).rowcount > 0

    async def expire(self, most: int) -> int:
        """Delete what has expired, `most` rows at a time: short transactions. How many there were."""
        old = (
            select(responses.c.id)
            .where(responses.c.expires_at <= self._wall_clock())
            .order_by(responses.c.expires_at)
            .limit(most)
            .with_for_update(skip_locked=True)  # another router is at them
        )
        async with self._database.writing() as connection:
            return (await connection.execute(delete(responses).where(responses.c.id.in_(old)))).rowcount

    async def crowded(self, most: int) -> Sequence[str]:
        """Workspaces with more answers than `most`."""
        counted = select(responses.c.workspace).group_by(responses.c.workspace).having(func.count() > most)
        async with self._database.reading() as connection:
            return [workspace for (workspace,) in await connection.execute(counted)]

    async def trim(self, workspace: str, keep: int, most: int) -> int:
        """Delete `most` of a workspace's answers besides the newest `keep`. How many there were.

        Which ones are too many is told by the newest, which nobody deletes here: two routers that do this at the same
        time delete the same ones.
        """
        too_many = (
            select(responses.c.id)
            .where(responses.c.workspace == workspace)
            .order_by(responses.c.created_at.desc(), responses.c.id.desc())
            .offset(keep)
            .limit(most)
        )
        async with self._database.writing() as connection:
            return (await connection.execute(delete(responses).where(responses.c.id.in_(too_many)))).rowcount
