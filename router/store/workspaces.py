"""Workspaces: what keys spend in."""

from collections.abc import Callable
from uuid import uuid4

from msgspec import UNSET
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import DEFAULT_WORKSPACE
from router.protocol.errors import ApiError, invalid
from router.store import rows
from router.store.columns import Columns
from router.store.database import Database
from router.store.rule_records import NewWorkspace, WorkspaceChange, WorkspaceRecord
from router.store.schema import guardrails, keys, workspaces
from router.store.text import check, is_storable


async def demand_workspace(connection: AsyncConnection, workspace: str) -> None:
    """Locks it against being deleted until the transaction is over.

    Raises:
        ApiError: 400, there is none.
    """
    found = select(workspaces.c.id).where(workspaces.c.id == workspace).with_for_update(read=True)
    if (await connection.execute(found)).first() is None:
        raise invalid("workspace_id", "there is no such workspace")


class WorkspaceStore:
    """All methods raise DatabaseAway."""

    def __init__(
        self, database: Database, wall_clock: Callable[[], float], new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> None:
        self._database = database
        self._wall_clock = wall_clock
        self._new_id = new_id

    async def create(self, new: NewWorkspace) -> WorkspaceRecord:
        """
        Raises:
            ApiError: 400, something cannot be stored; 409, another one has this slug.
        """
        _check(new)
        values = {
            "id": self._new_id(),
            "slug": new.slug,
            "name": new.name,
            "description": new.description,
            "include_byok": False,
            "other": new.other,
            "creator": new.creator,
            "created_at": self._wall_clock(),
        }
        async with self._database.writing() as connection:
            insert = self._database.insert(workspaces).values(values).on_conflict_do_nothing().returning(workspaces)
            row = (await connection.execute(insert)).first()
        if row is None:
            raise _slug_taken()
        return rows.workspace(row)

    async def get(self, workspace: str) -> WorkspaceRecord | None:
        """By its id or its slug. None: it is not there."""
        if not is_storable(workspace):
            return None
        wanted = select(workspaces).where((workspaces.c.id == workspace) | (workspaces.c.slug == workspace))
        async with self._database.reading() as connection:
            # an id goes before another one's slug
            row = (await connection.execute(wanted.order_by(workspaces.c.id != workspace))).first()
        return None if row is None else rows.workspace(row)

    async def page(self, *, offset: int = 0, limit: int = 100) -> list[WorkspaceRecord]:
        """The oldest first."""
        wanted = select(workspaces).order_by(workspaces.c.created_at, workspaces.c.id).offset(offset).limit(limit)
        async with self._database.reading() as connection:
            return [rows.workspace(row) for row in await connection.execute(wanted)]

    async def update(self, workspace: str, change: WorkspaceChange) -> WorkspaceRecord | None:
        """None: it is not there.

        Raises:
            ApiError: as for `create`.
        """
        _check(change)
        if not is_storable(workspace):
            return None
        values: Columns = {"updated_at": self._wall_clock()}
        for column, value in (
            ("slug", change.slug),
            ("name", change.name),
            ("description", change.description),
            ("include_byok", change.include_byok_in_budgets),
            ("other", change.other),
        ):
            if value is not UNSET:
                values[column] = value
        async with self._database.writing() as connection:
            if change.slug is not UNSET:
                others = (workspaces.c.slug == change.slug) & (workspaces.c.id != workspace)
                if (await connection.execute(select(exists().where(others)))).scalar_one():
                    raise _slug_taken()
            changed = update(workspaces).where(workspaces.c.id == workspace).values(values).returning(workspaces)
            row = (await connection.execute(changed)).first()
        return None if row is None else rows.workspace(row)

    async def delete(self, workspace: str) -> bool:
        """Whether it was there. Its budgets go with it; what was spent stays.

        Raises:
            ApiError: 400, it is the default one, or has keys or guardrails.
        """
        if workspace == DEFAULT_WORKSPACE:
            raise invalid("id", "the default workspace cannot be deleted")
        if not is_storable(workspace):
            return False
        async with self._database.writing() as connection:
            await connection.execute(select(workspaces.c.id).where(workspaces.c.id == workspace).with_for_update())
            for table, words in ((keys, "keys"), (guardrails, "guardrails")):
                count = select(func.count()).select_from(table).where(table.c.workspace == workspace)
                if (await connection.execute(count)).scalar_one():
                    raise invalid("id", f"there are {words} in this workspace; move or delete them first")
            return (await connection.execute(delete(workspaces).where(workspaces.c.id == workspace))).rowcount > 0


def _check(workspace: NewWorkspace | WorkspaceChange) -> None:
    for field in ("slug", "name", "description", "creator", "other"):
        value = getattr(workspace, field, None)
        if value is not UNSET:
            check(field, value)


def _slug_taken() -> ApiError:
    return ApiError("invalid_request", "slug: another workspace has it", field="slug", status=409)
