"""Whoever has an answer finds its row: here, in the database, or after the moment that another router takes."""

import asyncio

from router.protocol.entry import Entry
from router.store.generations import Generations
from router.store.recent import Recent, RecentSettings
from tests.router.store.support import entry

YOUNG, OLD = "1000000-abcdefghijklmnopqrst", "900000-abcdefghijklmnopqrst"


class Ledger:
    """A database in which rows appear while somebody waits."""

    def __init__(self, *rows: Entry) -> None:
        self.rows = {row.id: row for row in rows}
        self.looks = 0

    async def find(self, generation: str) -> Entry | None:
        self.looks += 1
        return self.rows.get(generation)


def search(name: str, ledger: Ledger | None, *, appears: bool = False, recent: Recent | None = None) -> Entry | None:
    async def sleep(seconds: float) -> None:
        if appears and ledger is not None:
            ledger.rows[f"gen-{name}"] = entry(name)

    remembered = recent or Recent(None, RecentSettings())
    found = Generations(remembered, ledger, wall_clock=lambda: 1_000_100.0, sleep=sleep)
    return asyncio.run(found.find(f"gen-{name}"))


def test_this_routers_own_is_found_before_the_database_has_it() -> None:
    recent, ledger = Recent(None, RecentSettings()), Ledger()
    recent.closed(entry(YOUNG))
    assert entry(YOUNG) == search(YOUNG, ledger, recent=recent)
    assert 0 == ledger.looks


def test_an_old_one_is_found_in_the_database_or_nowhere_at_once() -> None:
    assert entry(OLD) == search(OLD, Ledger(entry(OLD)))
    for name in (OLD, "1", "2000000-abcdefghijklmnopqrst"):
        ledger = Ledger()
        assert search(name, ledger, appears=True) is None
        assert 1 == ledger.looks


def test_a_young_one_of_another_router_is_waited_for_once() -> None:
    assert entry(YOUNG) == search(YOUNG, Ledger(), appears=True)
    ledger = Ledger()
    assert search(YOUNG, ledger) is None
    assert 2 == ledger.looks


def test_without_a_database_only_the_latest_are_known() -> None:
    assert search(YOUNG, None) is None


def test_only_so_many_wait() -> None:
    async def run() -> None:
        gate, ledger = asyncio.Event(), Ledger()

        async def sleep(seconds: float) -> None:
            await gate.wait()

        found = Generations(Recent(None, RecentSettings()), ledger, wall_clock=lambda: 1_000_100.0, sleep=sleep)
        waiting = [asyncio.create_task(found.find(f"gen-{YOUNG}")) for _ in range(64)]
        await asyncio.sleep(0)
        assert await found.find(f"gen-{YOUNG}") is None
        waiting[0].cancel()
        gate.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert 64 + 1 + 63 == ledger.looks
        assert await found.find(f"gen-{YOUNG}") is None
        assert 64 + 1 + 63 + 2 == ledger.looks

    asyncio.run(run())
