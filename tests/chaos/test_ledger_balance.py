"""The ledger against what the engines themselves have counted, while everything that can fail does."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import aiohttp

from bench.simulator.faults import Fault, Kind
from bench.simulator.fleet import Fleet, Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.chaos.rows import rows
from tests.chaos.stack import Router, configuration, routers
from tests.chaos.traffic import Seen, ask, body
from tests.integration.conftest import until
from tests.postgres import Postgres

REQUESTS = 5_000  # at least: they go on as long as anything is being disturbed
AT_ONCE = 24
LOOKS_S = 1.5  # ten and more looks at the engines' counters
LEAVING = 0.2  # of the clients
KILLED = 0.1  # of the requests, by killing engines
PAUSE_S, DEAD_S = 0.25, 0.1  # between kills, and until an engine is there again
DATABASE_AWAY_S = 30.0
# tokens that an engine may have generated for an answer beyond those that had reached the router when it was cut off
UNSEEN_PER_CUT = 6
SETTINGS = SimulatorSettings(model="m", time_scale=0.5)


async def drained(router: Router) -> bool:
    return await router.metric("tramontane_requests_in_flight") == await router.metric("tramontane_ledger_pending") == 0


def test_undisturbed_the_ledgers_sum_is_the_engines_to_the_token(cluster: Postgres, tmp_path: Path) -> None:
    async def main() -> None:
        url, rng, seen = cluster.create(), random.Random(1), Seen()
        async with (
            fleet(SETTINGS, 2, Place()) as engines,
            routers(tmp_path, 1, lambda _: configuration(url, tmp_path / "spool", engines.urls)) as (router,),
            aiohttp.ClientSession() as session,
        ):
            await asyncio.gather(*(ask(session, router.url, body(rng), seen) for _ in range(200)))
            await until(lambda: drained(router))
            ledger = await rows(url)
            assert ({}, 200) == (seen.errors, len(ledger))
            assert {row["id"]: row["completion_tokens"] for row in ledger} == seen.tokens
            assert sum(seen.tokens.values()) == sum(engine.generated_tokens for engine in engines.replicas)
            await asyncio.sleep(LOOKS_S)  # nothing tells from outside that the router has read the last of the counters
        status, said = await asyncio.to_thread(check, url)
        assert 0 == status, said
        assert str(sum(seen.tokens.values())) in said.replace(",", "")

    asyncio.run(main())


def test_whatever_fails_every_generation_has_one_row_and_no_token_is_lost(cluster: Postgres, tmp_path: Path) -> None:
    async def main() -> None:
        url, rng, seen = cluster.create(), random.Random(2), Seen()
        async with (
            fleet(SETTINGS, 4, Place()) as engines,
            routers(tmp_path, 1, lambda _: configuration(url, tmp_path / "spool", engines.urls)) as (router,),
            aiohttp.ClientSession() as session,
        ):
            disturbing = [asyncio.create_task(kill_engines(engines, rng)), asyncio.create_task(stop_database(cluster))]

            async def client() -> None:
                while seen.asked < REQUESTS or not all(each.done() for each in disturbing):
                    leaves = rng.choice((0, 1, 2, 3, 5)) if rng.random() < LEAVING else None
                    await ask(session, router.url, body(rng), seen, leaves_after=leaves)

            await asyncio.gather(*(client() for _ in range(AT_ONCE)), *disturbing)
            await until(lambda: drained(router))
            refused = await router.metric('tramontane_requests_total{kind="unparsed"')
            counted = await router.metric("tramontane_requests_total") - refused
            ledger = await rows(url)

            assert counted == len(ledger) == len({row["id"] for row in ledger})
            assert seen.ids <= {row["id"] for row in ledger}
            whole = {row["id"]: row["completion_tokens"] for row in ledger if row["status"] == "ok"}
            assert seen.tokens == {each: whole[each] for each in seen.tokens}

            generated = sum(engine.generated_tokens for engine in engines.replicas)
            written = sum(row["completion_tokens"] for row in ledger)
            cut = sum(row["attempts"] - 1 + (row["status"] != "ok") for row in ledger if row["attempts"])
            killed = sum(row["attempts"] > 1 or row["status"] not in ("ok", "cancelled") for row in ledger)
            print(
                f"{len(ledger)} rows, {seen.left} clients left, {killed} met a dead engine, {cut} cut off; engines "
                f"generated {generated} tokens, the ledger has {written}",
                file=sys.stderr,
            )
            assert killed > KILLED * len(ledger)
            assert 0 <= generated - written <= UNSEEN_PER_CUT * cut
            assert 0 == await router.metric("tramontane_ledger_dropped_total")

    asyncio.run(main())


def check(url: str) -> tuple[int, str]:
    """What `tramontane ledger check` says."""
    command = [sys.executable, "-m", "deploy.cli", "ledger", "check", "--database", url, "--slack", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


async def kill_engines(engines: Fleet, rng: random.Random) -> None:
    for _ in range(int(DATABASE_AWAY_S / PAUSE_S)):
        await rng.choice(engines.replicas).set_faults([Fault(kind=Kind.DIE, for_s=DEAD_S)])
        await asyncio.sleep(PAUSE_S)


async def stop_database(cluster: Postgres) -> None:
    await asyncio.sleep(1.0)
    await asyncio.to_thread(cluster.stop)
    try:
        await asyncio.sleep(DATABASE_AWAY_S)
    finally:
        await asyncio.to_thread(cluster.start)
