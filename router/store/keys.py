"""Keys: who may ask. Read by the request path (`find`, behind a cache), changed by the management API.

A key that is deleted leaves its rows of the ledger and what it spent.
"""

from collections import defaultdict
from collections.abc import Callable, Collection

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import DEFAULT_WORKSPACE, Key
from router.protocol.errors import ApiError
from router.store import rows
from router.store.columns import check_key, columns_of_change, columns_of_key
from router.store.database import Database
from router.store.key_records import KeyChange, KeyRecord, NewKey, Spent
from router.store.resolve import resolve
from router.store.rule_records import GuardrailRecord, WorkspaceBudget
from router.store.schema import guardrail_keys, guardrails, keys, workspace_budgets
from router.store.spending import spent_by
from router.store.text import is_storable
from router.store.workspaces import demand_workspace

PAGE = 100  # keys in one list, as at OpenRouter


class KeyStore:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database, wall_clock: Callable[[], float]) -> None:
        """
        Args:
            wall_clock: unix seconds.
        """
        self._database = database
        self._wall_clock = wall_clock

    async def find(self, ids: Collection[str]) -> dict[str, Key]:
        """With all that holds for them, and without those that are not there. Three statements for however many."""
        wanted = [each for each in ids if is_storable(each)]  # what could not be stored is not there
        if not wanted:
            return {}
        budgets: defaultdict[str, list[WorkspaceBudget]] = defaultdict(list)
        demands: defaultdict[str, list[GuardrailRecord]] = defaultdict(list)
        async with self._database.reading() as connection:
            found = (await connection.execute(select(keys).where(keys.c.id.in_(wanted)))).all()
            of_them = workspace_budgets.c.workspace.in_({row.workspace for row in found})
            for row in await connection.execute(select(workspace_budgets).where(of_them)):
                budgets[row.workspace].append(rows.budget(row))
            assigned = select(guardrails, guardrail_keys.c.key.label("assigned_to")).join(guardrail_keys)
            assigned = assigned.where(guardrail_keys.c.key.in_([row.id for row in found]))
            for row in await connection.execute(assigned.order_by(guardrails.c.created_at, guardrails.c.id)):
                demands[row.assigned_to].append(rows.guardrail(row))
        return {
            row.id: resolve(
                rows.key(row, Spent()), demands[row.id], budgets[row.workspace]
            )  # nobody asks what it spent
            for row in found
        }

    async def create(self, new: NewKey) -> KeyRecord:
        """
        Raises:
            ApiError: 400, its workspace is not there, or something cannot be stored; 409, it is there already.
        """
        if not await self.ensure(new):
            raise ApiError("invalid_request", "this key exists already", status=409)
        record = await self.get(new.id)
        if record is None:
            raise ApiError("not_found", "the key was deleted at once")
        return record

    async def ensure(self, new: NewKey) -> bool:
        """Create it unless it is there, as many routers do at once with their bootstrap key; whether it was created.

        Raises:
            ApiError: 400, as for `create`.
        """
        check_key(new)
        values = columns_of_key(new) | {"created_at": self._wall_clock()}
        async with self._database.writing() as connection:
            await demand_workspace(connection, new.workspace)
            insert = self._database.insert(keys).values(values).on_conflict_do_nothing().returning(keys.c.id)
            return (await connection.execute(insert)).first() is not None

    async def get(self, key: str) -> KeyRecord | None:
        """None: it is not there."""
        if not is_storable(key):
            return None
        async with self._database.reading() as connection:
            return await self._record(connection, key)

    async def page(
        self,
        workspace: str | None = DEFAULT_WORKSPACE,
        *,
        include_disabled: bool = False,
        include_expired: bool = False,
        offset: int = 0,
        limit: int = PAGE,
    ) -> list[KeyRecord]:
        """The oldest first. Workspace None: of all."""
        now = self._wall_clock()
        wanted = select(keys).order_by(keys.c.created_at, keys.c.id).offset(offset).limit(limit)
        if workspace is not None:
            if not is_storable(workspace):
                return []
            wanted = wanted.where(keys.c.workspace == workspace)
        if not include_disabled:
            wanted = wanted.where(~keys.c.is_disabled)
        if not include_expired:
            wanted = wanted.where(or_(keys.c.expires_at.is_(None), keys.c.expires_at > now))
        async with self._database.reading() as connection:
            found = (await connection.execute(wanted)).all()
            spent = await spent_by(connection, [f"key:{row.id}" for row in found], now)
        return [rows.key(row, spent[f"key:{row.id}"]) for row in found]

    async def update(self, key: str, change: KeyChange) -> KeyRecord | None:
        """None: it is not there.

        Raises:
            ApiError: 400, its new workspace is not there, or something cannot be stored.
        """
        check_key(change)
        values = columns_of_change(change) | {"updated_at": self._wall_clock()}
        if not is_storable(key):
            return None
        async with self._database.writing() as connection:
            if isinstance(change.workspace, str):
                await demand_workspace(connection, change.workspace)
            await connection.execute(update(keys).where(keys.c.id == key).values(values))
            return await self._record(connection, key)

    async def delete(self, key: str) -> bool:
        """Whether it was there."""
        if not is_storable(key):
            return False
        async with self._database.writing() as connection:
            return (await connection.execute(delete(keys).where(keys.c.id == key))).rowcount > 0

    async def _record(self, connection: AsyncConnection, key: str) -> KeyRecord | None:
        row = (await connection.execute(select(keys).where(keys.c.id == key))).first()
        if row is None:
            return None
        owner = f"key:{key}"
        return rows.key(row, (await spent_by(connection, [owner], self._wall_clock()))[owner])
