"""Two hundred requests at once on a key whose limit is enough for fifty."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.chaos.rows import rows
from tests.chaos.stack import CHAT, MODEL, bearer, configuration, new_key, routers
from tests.integration.conftest import until

NANO = 1e9
PARALLEL, AFFORDABLE = 200, 50
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Count, please. " * 20}], "max_tokens": 20}
SETTINGS = SimulatorSettings(model="m", time_scale=0.5)


@pytest.mark.parametrize("count", [1, 2])
def test_a_limit_is_never_passed_by_more_than_one_request(database: str, count: int, tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            fleet(SETTINGS, 2, Place()) as engines,
            routers(tmp_path, count, lambda _: configuration(database, tmp_path / "spool", engines.urls)) as running,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):

            async def ask(number: int, key: str) -> tuple[int, str]:
                url = running[number % count].url + CHAT
                async with session.post(url, data=json.dumps(BODY), headers=bearer(key)) as response:
                    told = await response.json()
                    return response.status, told.get("error", {}).get("metadata", {}).get("limit_source", "")

            unlimited = await new_key(running[0])
            assert 200 == (await ask(0, unlimited))[0]
            one = await written(database, 1)
            key = await new_key(running[0], limit=one[0]["cost"] * AFFORDABLE / NANO)

            answers = Counter(await asyncio.gather(*(ask(number, key) for number in range(PARALLEL))))
            good = answers[200, ""]
            refused = {source for status, source in answers if status == 402}
            assert PARALLEL == good + sum(n for (status, _), n in answers.items() if status == 402), answers
            assert refused <= {"openrouter_key_limit", "openrouter_in_flight_budget"}

            # what was only reserved is free again: by and by the limit can be spent to its end, and not further
            spent = 1 + good

            async def is_exhausted() -> bool:
                nonlocal spent
                said = await asyncio.gather(*(ask(number, key) for number in range(count)))
                spent += sum(status == 200 for status, _ in said)
                return said == [(402, "openrouter_key_limit")] * count

            await until(is_exhausted)
            ledger = await written(database, spent)
            cost = sum(row["cost"] for row in ledger if row["key"] != one[0]["key"])
            estimate = one[0]["cost"] * 2  # the prompt's length is itself estimated
            assert (AFFORDABLE - 1) * one[0]["cost"] <= cost <= AFFORDABLE * one[0]["cost"] + estimate
            for router in running:
                assert 0 == await router.metric("tramontane_reserved_usd")

    async def written(url: str, count: int) -> list[dict[str, object]]:
        async def all_are_there() -> bool:
            return len(await rows(url)) >= count

        await until(all_are_there)
        return sorted(await rows(url), key=lambda row: str(row["id"]))

    asyncio.run(main())
