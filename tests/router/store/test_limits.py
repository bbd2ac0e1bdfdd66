"""No budget is overspent by more than one request's estimate, however many ask at once, from one router or two."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack

import pytest

from router.policy.lending import Want
from router.store.database import open_database
from tests.router.store.spenders import ESTIMATE, TTL_S, spend
from tests.router.store.support import PATIENT, Stores, lifetime, with_stores

LIMIT = 50 * ESTIMATE


async def check(stores: Stores, served: int) -> None:
    """Whatever happened: not too much was spent, not too little, and nothing is held any more."""
    spent = (await stores.ledger.spent([lifetime()]))[lifetime()]
    assert LIMIT <= spent < LIMIT + ESTIMATE
    assert [served] == [each.rows for each in await stores.sums.by_pool()]
    assert [] == await stores.sums.differences()
    assert 0 == await stores.leases.held(lifetime())


@pytest.mark.parametrize("routers", [1, 2])
def test_two_hundred_requests_at_once_spend_no_more_than_the_limit_and_one_estimate(url: str, routers: int) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            stores = [Stores(await stack.enter_async_context(open_database(url, PATIENT))) for _ in range(routers)]
            served = await asyncio.gather(
                *(spend(each, f"r{number}", 200 // routers, LIMIT) for number, each in enumerate(stores))
            )
            await check(stores[0], sum(served))

    asyncio.run(main())


def test_two_router_processes_together_spend_no_more_than_the_limit_and_one_estimate(url: str) -> None:
    command = [sys.executable, "-m", "tests.router.store.spenders", url]
    processes = [
        subprocess.Popen([*command, f"r{number}", "100", str(LIMIT)], stdout=subprocess.PIPE, text=True)
        for number in range(2)
    ]
    try:
        served = sum(int(process.communicate(timeout=120)[0]) for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    with_stores(url, lambda stores: check(stores, served))


def test_what_is_left_is_lent_to_the_last_nano_dollar(url: str) -> None:
    """At rest nobody is refused as long as anything is left."""

    async def use(stores: Stores) -> None:
        served = await spend(stores, "r1", 40, LIMIT)
        spent = (await stores.ledger.spent([lifetime()]))[lifetime()]
        assert served == 40
        assert spent < LIMIT
        almost = spent + 1
        [grant] = await stores.leases.borrow("r2", [Want(lifetime(), almost, need=ESTIMATE, wish=0)], TTL_S)
        assert (ESTIMATE, spent) == (grant.granted, grant.spent)
        [grant] = await stores.leases.borrow("r1", [Want(lifetime(), almost, need=1, wish=0)], TTL_S)
        assert 0 == grant.granted

    with_stores(url, use)
