"""One configuration after the other, over real parts that have nobody to talk to."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from router.edition import Edition
from router.editions import Editions
from router.house import House, open_house
from router.metrics import Metrics
from router.reload_file import ConfigFile

NOBODY = {"kind": "static", "endpoints": ["http://127.0.0.1:9"]}
POOL: dict[str, Any] = {"name": "local", "upstream_model": "eyes", "discovery": NOBODY}
PROVIDER: dict[str, Any] = {"slug": "acme", "url": "https://127.0.0.1:9", "key": {"value": "one"}}
ABROAD: dict[str, Any] = {"name": "abroad", "provider": "acme", "upstream_model": "eyes"}


class World:
    def __init__(self, file: ConfigFile, house: House, editions: Editions) -> None:
        self._file = file
        self.house = house
        self.editions = editions

    async def take(self, *pools: dict[str, Any], **sections: Any) -> Edition:
        write(self._file.path, *pools, **sections)
        await self.editions.take(self._file.read())
        return self.editions.current

    async def gone(self, former: int = 0) -> None:
        """Return when no more than so many former ones have requests."""
        async with asyncio.timeout(60):
            while self.editions.former > former:  # noqa: ASYNC110 (it happens in this loop)
                await asyncio.sleep(0)


def write(path: Path, *pools: dict[str, Any], **sections: Any) -> None:
    model = {"id": "m/eyes", "context_length": 8192, "pools": pools}
    path.write_text(json.dumps({"allow_anonymous": True, "models": [model], **sections}))


@asynccontextmanager
async def world(folder: Path, *pools: dict[str, Any], **sections: Any) -> AsyncIterator[World]:
    file = ConfigFile(folder / "router.yaml", {})
    write(file.path, *pools, **sections)
    started, door = file.read(), list[Edition]()
    async with open_house(started, None, Metrics(), lambda: door[-1], random.Random(1)) as house:
        editions = Editions(house, let_in=door.append, about=dict)
        try:
            await editions.take(started)
            yield World(file, house, editions)
        finally:
            await editions.aclose()
            assert len(house.shared) == 0, "something is held that nobody needs"
            assert house.directory.all() == ()
            assert house.slots == set()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def endpoints(world: World, edition: Edition, pool: str) -> list[str]:
    slot = next(slot.name for slot in edition.slots if slot.pool == pool)
    return [endpoint.url for endpoint in world.house.directory.endpoints(slot)]


def test_a_former_one_ends_with_its_last_request_and_takes_its_pools_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        other = {**POOL, "name": "other", "discovery": {**NOBODY, "endpoints": ["http://127.0.0.1:10"]}}
        async with world(tmp_path, POOL, other) as here:
            first = here.editions.current
            with first:
                with first:
                    second = await here.take(POOL)
                    assert endpoints(here, first, "other") == ["http://127.0.0.1:10"]
                    assert [slot.pool for slot in second.slots] == ["local"]
                assert here.editions.former == 1
            await here.gone()
            assert endpoints(here, first, "other") == []
            assert endpoints(here, second, "local") == ["http://127.0.0.1:9"]

    run(scenario)


def test_requests_that_do_not_end_keep_nothing_beyond_the_limit(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, POOL) as here:
            with here.editions.current:
                await here.take(POOL, reload={"drain_s": 0.0}, retry={"max_attempts": 9})
                await here.gone()

    run(scenario)


def test_what_stays_the_same_is_the_same_and_its_tasks_go_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        ray = {**POOL, "discovery": {"kind": "ray", "dashboard": "http://127.0.0.1:9", "application": "a"}}
        async with world(tmp_path, ray) as here:
            first = here.editions.current
            second = await here.take({**ray, "price": {"prompt": 1.0}})
            both = set(first.running) & set(second.running)
            assert {type(run.watcher).__name__ for run in both} == {"RayDiscovery", "Prober"}
            third = await here.take({**ray, "discovery": {**ray["discovery"], "application": "b"}})
            assert not {type(run.watcher).__name__ for run in set(second.running) & set(third.running)} - {"Prober"}
            assert [slot.name for slot in third.slots] == ["local"]

    run(scenario)


def test_a_pool_that_asks_for_another_model_has_endpoints_of_its_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, POOL) as here:
            first = here.editions.current
            with first:
                moved = {**NOBODY, "endpoints": ["http://127.0.0.1:10"]}
                second = await here.take({**POOL, "upstream_model": "other", "discovery": moved})
                assert [slot.name for slot in second.slots] == ["local (2)"]
                assert endpoints(here, first, "local") == ["http://127.0.0.1:9"]
                assert endpoints(here, second, "local") == ["http://127.0.0.1:10"]
                back = await here.take(POOL)  # as it was, while that is still there
                assert [slot.name for slot in back.slots] == ["local"]
            await here.gone()
            assert endpoints(here, back, "local") == ["http://127.0.0.1:9"]

    run(scenario)


def test_a_provider_with_another_key_has_no_more_than_its_allotment(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, ABROAD, providers=[PROVIDER]) as here:
            before = here.editions.current.allotments["acme"]
            rotated = await here.take(ABROAD, providers=[{**PROVIDER, "key": {"value": "two"}}])
            assert rotated.allotments["acme"] is before
            limited = await here.take(ABROAD, providers=[{**PROVIDER, "max_concurrent": 1}])
            assert limited.allotments["acme"] is not before

    run(scenario)


def test_bounds_count_at_once_for_all(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, POOL) as here:
            await here.take(POOL, room={"requests": 3}, quotas={"concurrent": 2, "lease": {"ahead": 9}})
            assert here.house.room.settings.requests == 3
            assert here.house.quotas.settings.concurrent == 2
            assert here.house.quotas.settings.lease == here.house.started.config.quotas.lease

    run(scenario)


def test_what_cannot_be_made_leaves_everything_as_it_was(tmp_path: Path) -> None:
    async def scenario() -> None:
        authority = tmp_path / "ca.pem"
        async with world(tmp_path, POOL) as here:
            first, parts = here.editions.current, len(here.house.shared)
            file = ConfigFile(tmp_path / "router.yaml", {})
            write(file.path, POOL, ABROAD, providers=[PROVIDER])
            reading = file.read()
            (broken,) = reading.secrets.providers
            object.__setattr__(broken, "ca_file", authority)  # gone since it was read
            with pytest.raises((OSError, ValueError)):
                await here.editions.take(reading)
            assert (here.editions.current is first, here.editions.former) == (True, 0)
            assert (len(here.house.shared), here.house.slots) == (parts, {"local"})
            assert endpoints(here, first, "local") == ["http://127.0.0.1:9"]

    run(scenario)


def test_series_are_of_the_one_in_force_and_none_is_there_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, POOL) as here:
            await here.take({**POOL, "name": "renamed"})
            text = here.house.metrics.render().decode()
            assert 'tramontane_endpoint_up{endpoint="127.0.0.1:9",pool="renamed"}' in text
            assert 'pool="local"' not in text
            assert text.count("# TYPE tramontane_endpoint_up ") == 1

    run(scenario)
