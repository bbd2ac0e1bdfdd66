"""Presets: settings under a name, in a workspace. Each change is a new version, and the newest is what requests get."""

from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import Row, func, select, update

from router.protocol.errors import invalid
from router.store.database import Database
from router.store.preset_records import PresetRecord, PresetVersion
from router.store.schema import preset_versions, presets
from router.store.text import check, is_storable
from router.store.workspaces import demand_workspace

MOST = 1_000  # presets of a workspace: more than people name by hand, fewer than a mistaken program makes
MOST_VERSIONS = 1_000  # of a preset, for the same reason
_VERSION = [column.label(f"v_{column.name}") for column in preset_versions.c]
_BOTH = select(presets, *_VERSION).join(
    preset_versions, (preset_versions.c.preset == presets.c.id) & (preset_versions.c.version == presets.c.designated)
)


class PresetStore:
    """All methods raise DatabaseAway."""

    def __init__(
        self, database: Database, wall_clock: Callable[[], float], new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> None:
        self._database = database
        self._wall_clock = wall_clock
        self._new_id = new_id

    async def save(
        self, workspace: str, slug: str, *, system_prompt: str | None, config: str, creator: str
    ) -> PresetRecord:
        """A new preset, or a new version of one that is there; requests get it from now on.

        Raises:
            ApiError: 400, something cannot be stored, or there are too many.
        """
        for field, text in (("slug", slug), ("system_prompt", system_prompt), ("creator", creator)):
            check(field, text)
        now = self._wall_clock()
        of_slug = (presets.c.workspace == workspace) & (presets.c.slug == slug)
        async with self._database.writing() as connection:
            await demand_workspace(connection, workspace)
            count = select(func.count()).select_from(presets).where(presets.c.workspace == workspace)
            number = (await connection.execute(count)).scalar_one()
            insert = self._database.insert(presets).values(
                id=self._new_id(),
                workspace=workspace,
                slug=slug,
                name=slug,
                status="active",
                designated=0,
                creator=creator,
                created_at=now,
                updated_at=now,
            )
            is_new = (await connection.execute(insert.on_conflict_do_nothing().returning(presets.c.id))).first()
            if is_new is not None and number >= MOST:
                raise invalid("slug", f"a workspace has at most {MOST} presets")
            next_one = (
                update(presets)
                .where(of_slug)
                .values(designated=presets.c.designated + 1, updated_at=now)
                .returning(presets.c.id, presets.c.designated)
            )
            preset, version = (await connection.execute(next_one)).one()
            if version > MOST_VERSIONS:
                raise invalid("slug", f"a preset has at most {MOST_VERSIONS} versions")
            await connection.execute(
                self._database.insert(preset_versions).values(
                    id=self._new_id(),
                    preset=preset,
                    version=version,
                    system_prompt=system_prompt,
                    config=config,
                    creator=creator,
                    created_at=now,
                )
            )
            return _record((await connection.execute(_BOTH.where(of_slug))).one())

    async def get(self, workspace: str, slug: str) -> PresetRecord | None:
        """None: it is not there."""
        if not is_storable(slug):
            return None
        wanted = _BOTH.where(presets.c.workspace == workspace, presets.c.slug == slug)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).first()
        return None if row is None else _record(row)

    async def page(self, workspace: str, *, offset: int = 0, limit: int = 50) -> tuple[list[PresetRecord], int]:
        """The one that was changed last first; and how many there are without the limit."""
        wanted = _BOTH.where(presets.c.workspace == workspace).order_by(presets.c.updated_at.desc(), presets.c.id)
        counted = select(func.count()).select_from(presets).where(presets.c.workspace == workspace)
        async with self._database.reading() as connection:
            found = [_record(row) for row in await connection.execute(wanted.offset(offset).limit(limit))]
            return found, (await connection.execute(counted)).scalar_one()

    async def versions(self, preset: str, *, offset: int = 0, limit: int = 50) -> list[PresetVersion]:
        """The oldest first."""
        wanted = select(*_VERSION).where(preset_versions.c.preset == preset).order_by(preset_versions.c.version)
        async with self._database.reading() as connection:
            return [_version(row) for row in await connection.execute(wanted.offset(offset).limit(limit))]


def _record(row: Row[tuple[object, ...]]) -> PresetRecord:
    return PresetRecord(
        id=row.id,
        workspace=row.workspace,
        slug=row.slug,
        name=row.name,
        description=row.description,
        status=row.status,
        creator=row.creator,
        created_at=row.created_at,
        updated_at=row.updated_at,
        designated=_version(row),
    )


def _version(row: Row[tuple[object, ...]]) -> PresetVersion:
    return PresetVersion(
        id=row.v_id,
        preset=row.v_preset,
        version=row.v_version,
        system_prompt=row.v_system_prompt,
        config=row.v_config,
        creator=row.v_creator,
        created_at=row.v_created_at,
    )
