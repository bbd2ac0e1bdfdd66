"""The database stops while keys of it are in use, and comes back."""

import asyncio
import json
from pathlib import Path

import aiohttp

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.chaos.rows import rows
from tests.chaos.stack import CHAT, MODEL, bearer, configuration, new_key, routers
from tests.integration.conftest import until
from tests.postgres import Postgres

BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 4})
STRANGER = "sk-or-v1-" + "3" * 64
SETTINGS = SimulatorSettings(model="m", time_scale=0.1)
WHILE_AWAY = 40


def test_who_is_known_is_served_and_written_down_while_the_database_is_away(cluster: Postgres, tmp_path: Path) -> None:
    async def main() -> None:
        url = cluster.create()
        async with (
            fleet(SETTINGS, 1, Place()) as engines,
            routers(tmp_path, 1, lambda _: configuration(url, tmp_path / "spool", engines.urls)) as (router,),
            aiohttp.ClientSession() as session,
        ):

            async def ask(key: str) -> tuple[int, str]:
                async with session.post(router.url + CHAT, data=BODY, headers=bearer(key)) as response:
                    told = await response.json()
                    return response.status, told.get("error", {}).get("metadata", {}).get("reason", "")

            unlimited, limited = await new_key(router), await new_key(router, limit=1.0)
            assert [(200, "")] * 2 == [await ask(key) for key in (unlimited, limited)]
            await until(lambda: is_written(url, 2))
            await asyncio.to_thread(cluster.stop)
            try:
                assert {(200, "")} == {await ask(unlimited) for _ in range(WHILE_AWAY)}
                assert (200, "") == await ask(limited)  # from what the router holds of its budget
                assert (503, "key_unchecked") == await ask(STRANGER)
                assert WHILE_AWAY + 1 == await router.metric("tramontane_ledger_pending")
            finally:
                await asyncio.to_thread(cluster.start)
            await until(lambda: is_written(url, 2 + WHILE_AWAY + 1))
            assert (401, "") == await ask(STRANGER)
            assert 0 == await router.metric("tramontane_ledger_pending")

    asyncio.run(main())


async def is_written(url: str, count: int) -> bool:
    return len(await rows(url)) == count
