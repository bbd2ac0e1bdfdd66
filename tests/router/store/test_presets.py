"""Presets and their versions."""

import asyncio

import pytest

from router.protocol.errors import ApiError
from router.store.preset_records import PresetRecord, PresetVersion
from router.store.presets import MOST_VERSIONS, PresetStore
from tests.router.store.support import NOW, Stores, with_stores


def store_of(stores: Stores) -> PresetStore:
    numbers = iter(range(1, 100_000))
    return PresetStore(stores.database, stores.clock, lambda: f"id-{next(numbers)}")


async def save(
    presets: PresetStore, slug: str = "short", prompt: str | None = None, config: str = "{}"
) -> PresetRecord:
    return await presets.save("default", slug, system_prompt=prompt, config=config, creator="key-1")


def test_a_preset_comes_back_with_the_version_that_was_saved_last(url: str) -> None:
    async def use(stores: Stores) -> None:
        presets = store_of(stores)
        first = await save(presets, prompt="Be brief.", config='{"temperature":0}')
        version = PresetVersion("id-2", "id-1", 1, "Be brief.", '{"temperature":0}', "key-1", NOW)
        assert PresetRecord("id-1", "default", "short", "short", None, "active", "key-1", NOW, NOW, version) == first
        stores.now += 1
        second = await save(presets, config='{"temperature":1}')
        assert ("id-1", 2, NOW, NOW + 1) == (
            second.id,
            second.designated.version,
            second.created_at,
            second.updated_at,
        )
        assert second == await presets.get("default", "short")
        assert [version, second.designated] == await presets.versions("id-1")
        assert [second.designated] == await presets.versions("id-1", offset=1, limit=1)

    with_stores(url, use)


def test_the_one_that_was_changed_last_is_listed_first(url: str) -> None:
    async def use(stores: Stores) -> None:
        presets = store_of(stores)
        for slug in ("a", "b", "c", "a"):
            await save(presets, slug)
            stores.now += 1
        found, total = await presets.page("default", limit=2)
        assert (["a", "c"], 3) == ([each.slug for each in found], total)
        assert ([], 0) == await presets.page("elsewhere")

    with_stores(url, use)


def test_what_is_not_there_is_none(url: str) -> None:
    async def use(stores: Stores) -> None:
        presets = store_of(stores)
        await save(presets)
        for workspace, slug in (("default", "long"), ("elsewhere", "short"), ("default", "\0")):
            assert await presets.get(workspace, slug) is None

    with_stores(url, use)


def test_presets_need_a_workspace_and_texts_that_can_be_stored(url: str) -> None:
    async def use(stores: Stores) -> None:
        presets = store_of(stores)
        for workspace, prompt, field in (("nowhere", "p", "workspace_id"), ("default", "\0", "system_prompt")):
            with pytest.raises(ApiError) as refused:
                await presets.save(workspace, "s", system_prompt=prompt, config="{}", creator="k")
            assert field == refused.value.field

    with_stores(url, use)


def test_two_that_save_at_once_make_two_versions(url: str) -> None:
    async def use(stores: Stores) -> None:
        presets = store_of(stores)
        saved = await asyncio.gather(*(save(presets) for _ in range(8)))
        assert set(range(1, 9)) == {each.designated.version for each in saved}

    with_stores(url, use)


def test_versions_are_bounded(url: str) -> None:
    async def use(stores: Stores) -> None:
        presets = store_of(stores)
        async with stores.database.writing() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO presets (id, workspace, slug, name, status, designated, created_at, updated_at) "
                f"VALUES ('p', 'default', 'short', 'short', 'active', {MOST_VERSIONS}, 0, 0)"
            )
        with pytest.raises(ApiError, match="versions"):
            await save(presets)

    with_stores(url, use)
