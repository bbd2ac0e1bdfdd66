"""What a router remembers of presets."""

import asyncio
from dataclasses import replace

import pytest

from router.protocol.errors import ApiError
from router.store.away import DatabaseAway
from router.store.known_presets import KnownPresets, KnownPresetsSettings
from router.store.preset_records import PresetRecord, PresetVersion

VERSION = PresetVersion("v-1", "p-1", 1, "Be brief.", '{"temperature":0}', "k", 0.0)
RECORD = PresetRecord("p-1", "w", "short", "short", None, "active", "k", 0.0, 0.0, VERSION)


class Store:
    def __init__(self) -> None:
        self.record: PresetRecord | None = RECORD
        self.is_away = False
        self.reads = 0

    async def get(self, workspace: str, slug: str) -> PresetRecord | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise DatabaseAway("gone")
        return self.record if (workspace, slug) == ("w", "short") else None


class World:
    def __init__(self, presets: int = 10) -> None:
        self.now = 100.0
        self.store = Store()
        self.known = KnownPresets(self.store, KnownPresetsSettings(5.0, presets), clock=lambda: self.now)


def test_it_is_read_once_for_all_who_ask_within_the_time() -> None:
    async def main(world: World) -> None:
        found = await asyncio.gather(*(world.known.find("w", "short") for _ in range(5)))
        assert {"Be brief."} == {each.system_prompt for each in found if each is not None}
        assert 1 == world.store.reads
        world.now += 5.1
        await world.known.find("w", "short")
        assert 2 == world.store.reads

    asyncio.run(main(World()))


def test_a_change_made_here_counts_at_once() -> None:
    async def main(world: World) -> None:
        await world.known.find("w", "short")
        world.store.record = replace(RECORD, status="disabled")
        world.known.changed("w", "short")
        assert await world.known.find("w", "short") is None

    asyncio.run(main(World()))


def test_while_the_database_is_away_what_was_read_counts_on() -> None:
    async def main(world: World) -> None:
        first = await world.known.find("w", "short")
        world.now += 60
        world.store.is_away = True
        assert first == await world.known.find("w", "short")
        with pytest.raises(ApiError) as refused:
            await world.known.find("w", "another")
        assert 503 == refused.value.status

    asyncio.run(main(World()))


def test_only_so_many_are_remembered() -> None:
    async def main(world: World) -> None:
        for slug in ("a", "b", "a", "c", "a"):
            assert await world.known.find("w", slug) is None
        assert 3 == world.store.reads

    asyncio.run(main(World(presets=2)))


@pytest.mark.parametrize(("settings", "field"), [({"fresh_s": 0}, "fresh_s"), ({"presets": 0}, "presets")])
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, int], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} "):
        KnownPresetsSettings(**settings)
