"""A router that is killed again and again at moments that nobody chose."""

import asyncio
import random
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.chaos.rows import rows
from tests.chaos.stack import configuration, routers
from tests.chaos.traffic import Seen, ask, body
from tests.integration.conftest import until

KILLS = 50
ANSWERS = 3  # before a kill that is to hit a router at work
AT_ONCE = 8
SETTINGS = SimulatorSettings(model="m", time_scale=0.2)


async def has_more(seen: Seen, wanted: int) -> bool:
    return len(seen.tokens) >= wanted


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_no_row_is_lost_or_doubled_by_fifty_kills(database: str, tmp_path: Path) -> None:
    async def main() -> None:
        rng, seen, is_over = random.Random(3), Seen(), asyncio.Event()
        async with (
            fleet(SETTINGS, 2, Place()) as engines,
            routers(tmp_path, 1, lambda _: configuration(database, tmp_path / "spool", engines.urls)) as (router,),
            aiohttp.ClientSession() as session,
        ):

            async def client() -> None:
                while not is_over.is_set():
                    await ask(session, router.url, body(rng, longest=60), seen)
                    await asyncio.sleep(0.01)  # a router that is gone refuses at once

            clients = [asyncio.create_task(client()) for _ in range(AT_ONCE)]
            for number in range(KILLS):
                if number % 3 == 0:  # others die while they start, on a slow machine all would
                    await until(partial(has_more, seen, len(seen.tokens) + ANSWERS))
                await asyncio.sleep(rng.uniform(0.0, 0.6))
                await router.kill()
                await router.start(until_ready=False)
            is_over.set()
            await asyncio.gather(*clients)

            async def is_written() -> bool:
                return seen.ids <= {row["id"] for row in await rows(database)}

            await until(is_written)
            ledger = await rows(database)
            by_id = {row["id"]: row for row in ledger}
            assert len(by_id) == len(ledger)
            # a whole answer that a client has is a row with exactly its tokens, whenever the router died
            assert seen.tokens == {each: by_id[each]["completion_tokens"] for each in seen.tokens}
            assert {"ok"} == {by_id[each]["status"] for each in seen.tokens}
            assert len(seen.tokens) > KILLS
            assert any(row["status"] == "interrupted" for row in ledger)

    asyncio.run(main())
