from router.store.lost_attempts import lost_attempts
from tests.router.store.support import NOW, Stores, entry, with_stores


def test_all_attempts_but_the_last_of_each_generation_are_counted(url: str) -> None:
    async def use(stores: Stores) -> None:
        assert 0 == await lost_attempts(stores.database)
        rows = [entry(number, attempts=number, created=NOW + number) for number in range(4)]
        await stores.ledger.write(rows)
        assert 3 == await lost_attempts(stores.database)
        assert 1 == await lost_attempts(stores.database, NOW + 1, NOW + 3)

    with_stores(url, use)
