"""Guardrails: rules for the keys they are assigned to. What they come to for a key is in `resolve`."""

from collections.abc import Callable, Collection
from uuid import uuid4

from msgspec import UNSET
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import DEFAULT_WORKSPACE
from router.protocol.errors import invalid
from router.store import rows
from router.store.columns import Columns, check_rules, columns_of_rules
from router.store.database import Database
from router.store.rule_records import Assignment, GuardrailChange, GuardrailRecord, NewGuardrail
from router.store.schema import guardrail_keys, guardrails, keys
from router.store.text import check, check_all, is_storable
from router.store.workspaces import demand_workspace


class GuardrailStore:
    """All methods raise DatabaseAway."""

    def __init__(
        self, database: Database, wall_clock: Callable[[], float], new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> None:
        self._database = database
        self._wall_clock = wall_clock
        self._new_id = new_id

    async def create(self, new: NewGuardrail) -> GuardrailRecord:
        """
        Raises:
            ApiError: 400, its workspace is not there, its rules contradict, or something cannot be stored.
        """
        for field, text in (("name", new.name), ("description", new.description), ("workspace_id", new.workspace)):
            check(field, text)
        check_rules(new.rules)
        values: Columns = {
            "id": self._new_id(),
            "workspace": new.workspace,
            "name": new.name,
            "description": new.description,
            "created_at": self._wall_clock(),
        }
        async with self._database.writing() as connection:
            await demand_workspace(connection, new.workspace)
            insert = self._database.insert(guardrails).values(values | columns_of_rules(new.rules))
            return rows.guardrail((await connection.execute(insert.returning(guardrails))).one())

    async def get(self, guardrail: str) -> GuardrailRecord | None:
        """None: it is not there."""
        if not is_storable(guardrail):
            return None
        async with self._database.reading() as connection:
            row = (await connection.execute(select(guardrails).where(guardrails.c.id == guardrail))).first()
        return None if row is None else rows.guardrail(row)

    async def page(
        self, workspace: str | None = DEFAULT_WORKSPACE, *, offset: int = 0, limit: int = 100
    ) -> list[GuardrailRecord]:
        """The oldest first. Workspace None: of all."""
        wanted = select(guardrails).order_by(guardrails.c.created_at, guardrails.c.id).offset(offset).limit(limit)
        if workspace is not None:
            if not is_storable(workspace):
                return []
            wanted = wanted.where(guardrails.c.workspace == workspace)
        async with self._database.reading() as connection:
            return [rows.guardrail(row) for row in await connection.execute(wanted)]

    async def count(self, workspace: str | None = DEFAULT_WORKSPACE) -> int:
        """How many `page` would give without a limit."""
        wanted = select(func.count()).select_from(guardrails)
        if workspace is not None:
            if not is_storable(workspace):
                return 0
            wanted = wanted.where(guardrails.c.workspace == workspace)
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).scalar_one()

    async def update(self, guardrail: str, change: GuardrailChange) -> GuardrailRecord | None:
        """None: it is not there.

        Raises:
            ApiError: 400, its rules contradict, or something cannot be stored.
        """
        values: Columns = {"updated_at": self._wall_clock()}
        if change.name is not UNSET:
            check("name", change.name)
            values["name"] = change.name
        if change.description is not UNSET:
            check("description", change.description)
            values["description"] = change.description
        if change.rules is not UNSET:
            check_rules(change.rules)
            values |= columns_of_rules(change.rules)
        if not is_storable(guardrail):
            return None
        async with self._database.writing() as connection:
            changed = update(guardrails).where(guardrails.c.id == guardrail).values(values).returning(guardrails)
            row = (await connection.execute(changed)).first()
        return None if row is None else rows.guardrail(row)

    async def delete(self, guardrail: str) -> bool:
        """Whether it was there. It no longer holds for any key."""
        if not is_storable(guardrail):
            return False
        async with self._database.writing() as connection:
            return (await connection.execute(delete(guardrails).where(guardrails.c.id == guardrail))).rowcount > 0

    async def assign(self, guardrail: str, to: Collection[str], *, by: str | None = None) -> int | None:
        """Let it hold for these keys; for how many it did not before. None: the guardrail is not there.

        Raises:
            ApiError: 400, one of the keys is not there.
        """
        check_all("key_hashes", to)
        if not is_storable(guardrail):
            return None
        async with self._database.writing() as connection:
            lock = select(guardrails.c.id).where(guardrails.c.id == guardrail).with_for_update(read=True)
            if (await connection.execute(lock)).first() is None:
                return None
            await _demand_keys(connection, to)
            if not to:
                return 0
            values = [
                {"guardrail": guardrail, "key": key, "id": self._new_id(), "assigned_by": by, "created_at": created}
                for created in (self._wall_clock(),)
                for key in sorted(set(to))
            ]
            insert = self._database.insert(guardrail_keys).values(values).on_conflict_do_nothing()
            return len((await connection.execute(insert.returning(guardrail_keys.c.id))).all())

    async def unassign(self, guardrail: str, of: Collection[str]) -> int | None:
        """Let it no longer hold for these keys; for how many it did. None: the guardrail is not there."""
        if not is_storable(guardrail):
            return None
        stored = [key for key in of if is_storable(key)]
        which = (guardrail_keys.c.guardrail == guardrail) & guardrail_keys.c.key.in_(stored)
        async with self._database.writing() as connection:
            there = await connection.execute(select(guardrails.c.id).where(guardrails.c.id == guardrail))
            if there.first() is None:
                return None
            return (await connection.execute(delete(guardrail_keys).where(which))).rowcount

    async def assignments(
        self, guardrail: str | None = None, *, offset: int = 0, limit: int = 100
    ) -> tuple[list[Assignment], int]:
        """Of one guardrail or of all, the oldest first; and how many there are without the limit."""
        if guardrail is not None and not is_storable(guardrail):
            return [], 0
        wanted = select(guardrail_keys, keys.c.name, keys.c.label).join(keys, keys.c.id == guardrail_keys.c.key)
        counted = select(func.count()).select_from(guardrail_keys)
        if guardrail is not None:
            wanted = wanted.where(guardrail_keys.c.guardrail == guardrail)
            counted = counted.where(guardrail_keys.c.guardrail == guardrail)
        wanted = wanted.order_by(guardrail_keys.c.created_at, guardrail_keys.c.id).offset(offset).limit(limit)
        async with self._database.reading() as connection:
            found = [rows.assignment(row) for row in await connection.execute(wanted)]
            return found, (await connection.execute(counted)).scalar_one()


async def _demand_keys(connection: AsyncConnection, wanted: Collection[str]) -> None:
    found = (
        select(keys.c.id)
        .where(keys.c.id.in_(list(wanted)))
        .order_by(keys.c.id)
        .with_for_update(read=True, key_share=True)
    )
    there = set((await connection.execute(found)).scalars())
    if missing := sorted(set(wanted) - there):
        raise invalid("key_hashes", f"there is no key {missing[0]}")
