"""Sums over the ledger."""

from sqlalchemy import text

from router.store.sums import Difference, PoolSum
from tests.router.store.support import NOW, Stores, entry, lifetime, with_stores


def test_rows_are_summed_by_pool_and_by_who_counted(url: str) -> None:
    async def use(stores: Stores) -> None:
        counted = {"prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 3, "cost": 7}
        await stores.ledger.write(
            [
                entry(1, pool="p", **counted),
                entry(2, pool="p", created=NOW + 1, **counted),
                entry(3, pool="p", is_exact=False, **counted),
                entry(4, pool="q", **counted),
                entry(5, cost=0),
            ]
        )
        q, nothing = PoolSum("q", True, 1, 10, 4, 3, 7), PoolSum("", True, 1, 0, 0, 0, 0)
        guessed = PoolSum("p", False, 1, 10, 4, 3, 7)
        assert [nothing, guessed, PoolSum("p", True, 2, 20, 8, 6, 14), q] == await stores.sums.by_pool()
        assert [PoolSum("p", True, 1, 10, 4, 3, 7)] == await stores.sums.by_pool(since=NOW + 1)
        assert [] == await stores.sums.by_pool(until=NOW)

    with_stores(url, use)


def test_a_total_that_is_not_its_rows_sum_is_found(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.ledger.write([entry(1, cost=5)])
        assert [] == await stores.sums.differences()
        async with stores.database.writing() as connection:
            await connection.execute(
                text("UPDATE spend SET nano = 6 WHERE owner = 'key:k' AND \"interval\" = 'lifetime'")
            )
        assert [Difference(lifetime(), noted=6, rows=5)] == await stores.sums.differences()

    with_stores(url, use)
