"""Many requests at once on one key with a limit, each as a router would have it: borrow, serve, write, give back.

As a program it is one router of several: `python -m tests.router.store.spenders URL ROUTER REQUESTS LIMIT`. It prints
how many requests were served.
"""

import asyncio
import random
import sys

from router.policy.lending import Want
from router.store.database import open_database
from tests.router.store.support import PATIENT, Stores, entry, lifetime

ESTIMATE = 1_000_000  # nano-dollars
TTL_S = 300.0


async def spend(stores: Stores, router: str, requests: int, limit: int, *, wish: int = ESTIMATE) -> int:
    """How many of `requests` parallel ones were served. Each costs its estimate or less, at random.

    One that is refused because the rest is only reserved asks again, as its client would; such ones stand in line.
    """
    rng, line = random.Random(router), asyncio.Lock()

    async def request(number: int, cost: int) -> bool:
        want = Want(lifetime(), limit, need=ESTIMATE, wish=wish)
        [grant] = await stores.leases.borrow(router, [want], TTL_S)
        while not grant.granted:
            if grant.spent >= limit:
                return False
            async with line:
                [grant] = await stores.leases.borrow(router, [want], TTL_S)
        await stores.ledger.write([entry(f"{router}-{number}", router=router, cost=cost)])
        await stores.leases.give_back(router, {lifetime(): grant.granted - cost})
        return True

    costs = [rng.choice((ESTIMATE, ESTIMATE // 2, ESTIMATE // 3)) for _ in range(requests)]
    return sum(await asyncio.gather(*(request(*each) for each in enumerate(costs))))


async def main(url: str, router: str, requests: int, limit: int) -> None:
    async with open_database(url, PATIENT) as database:
        print(await spend(Stores(database), router, requests, limit))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
