"""Borrowing for those who wait, ahead of need, and giving back; a bank in memory, no database."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest

from router.policy.allowance import AllowanceSettings
from router.policy.allowances import Allowances
from router.policy.key import Interval, Window
from router.policy.lending import Grant, Want
from router.store.away import DatabaseAway
from router.store.lender import Lender, LenderSettings

DAY = Window("key:k", Interval.DAILY, 0)
QUICK = LenderSettings(ttl_s=1.0, every_s=0.01, wait_s=0.05)


class Bank:
    """Lends up to its limit; `gate` holds answers back."""

    def __init__(self, limit: int = 1_000) -> None:
        self.limit = limit
        self.held = 0
        self.asked: list[tuple[Want, ...]] = []
        self.given_back: list[Mapping[Window, int]] = []
        self.retired: list[str] = []
        self.is_away = False
        self.gate: asyncio.Event | None = None
        self.has_renewed = asyncio.Event()

    async def borrow(self, router: str, wants: Sequence[Want], ttl_s: float) -> list[Grant]:
        self.asked.append(tuple(wants))
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise DatabaseAway("the database is away: it cannot be reached")
        grants = []
        for want in wants:
            left = self.limit - self.held
            granted = max(want.need, min(want.wish, left)) if left > 0 else 0
            self.held += granted
            grants.append(Grant(want.window, self.held, granted, 0))
        return grants

    async def renew(self, router: str, ttl_s: float) -> dict[Window, int]:
        self.has_renewed.set()
        if self.is_away:
            raise DatabaseAway("the database is away: it cannot be reached")
        return {DAY: self.held}

    async def give_back(self, router: str, amounts: Mapping[Window, int]) -> None:
        self.given_back.append(dict(amounts))
        self.held -= sum(amounts.values())

    async def retire(self, router: str) -> None:
        self.retired.append(router)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - one turn of the loop after the other
            await asyncio.sleep(0)


class World:
    """`now` is the clock; unix time is the same."""

    def __init__(self, bank: Bank, settings: LenderSettings = QUICK) -> None:
        self.now = 0.0
        self.bank = bank
        self.allowances = Allowances(AllowanceSettings())
        self.lender = Lender(
            bank, self.allowances, "boot", settings, clock=lambda: self.now, wall_clock=lambda: self.now
        )

    def wants(self, cost: int) -> Sequence[Want]:
        return self.allowances.reserve({DAY: 1_000}, cost, self.now)


def test_what_is_borrowed_can_be_reserved() -> None:
    world = World(Bank())

    async def main() -> None:
        assert await world.lender.borrow(world.wants(10))
        assert () == world.wants(10)

    asyncio.run(main())
    assert 1 == world.lender.borrowings


def test_requests_that_run_short_meanwhile_are_asked_for_together_and_owed_the_dearest_ones_need() -> None:
    async def main() -> None:
        bank = Bank()
        world = World(bank, LenderSettings())
        bank.gate = asyncio.Event()
        first = asyncio.create_task(world.lender.borrow(world.wants(10)))
        await until(lambda: bool(bank.asked))
        others = [asyncio.create_task(world.lender.borrow(world.wants(cost))) for cost in (20, 30)]
        await asyncio.sleep(0)
        bank.gate.set()
        assert [True] * 3 == await asyncio.gather(first, *others)
        assert [[10], [30]] == [[want.need for want in wants] for wants in bank.asked]
        assert bank.asked[1][0].wish >= 50

    asyncio.run(main())


def test_a_database_that_is_away_is_told_at_once() -> None:
    async def main() -> None:
        bank = Bank()
        bank.is_away = True
        world = World(bank)
        assert not await world.lender.borrow(world.wants(10))
        assert (1, 1) == (world.lender.borrowings, world.lender.failures)

    asyncio.run(main())


def test_a_database_that_hangs_keeps_nobody_for_longer_than_he_may_wait() -> None:
    async def main() -> None:
        bank = Bank()
        bank.gate = asyncio.Event()
        world = World(bank)
        assert not await world.lender.borrow(world.wants(10))
        bank.gate.set()

    asyncio.run(main())


def test_a_waiter_that_leaves_disturbs_nobody() -> None:
    async def main() -> None:
        bank = Bank()
        bank.gate = asyncio.Event()
        world = World(bank, LenderSettings())
        leaving, staying = (asyncio.create_task(world.lender.borrow(world.wants(10))) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        bank.gate.set()
        assert await staying

    asyncio.run(main())


def test_what_lies_idle_is_given_back() -> None:
    async def main() -> None:
        world = World(Bank())
        await world.lender.borrow(world.wants(10))
        world.now = 1_000.0
        running = asyncio.create_task(world.lender.run())
        await world.bank.has_renewed.wait()
        running.cancel()
        await asyncio.wait((running,))
        assert [{DAY: 10}] == world.bank.given_back
        assert 0 == world.bank.held

    asyncio.run(main())


def test_when_little_is_left_more_is_borrowed_before_anybody_waits() -> None:
    async def main() -> None:
        world = World(Bank())
        running = asyncio.create_task(world.lender.run())
        await asyncio.sleep(0)
        await world.lender.borrow(world.wants(10))
        assert () == world.wants(10)
        await until(lambda: len(world.bank.asked) >= 2)
        assert 0 == world.bank.asked[1][0].need
        running.cancel()
        await asyncio.wait((running,))

    asyncio.run(main())


def test_renewals_that_fail_are_counted_and_tried_again() -> None:
    async def main() -> None:
        bank = Bank()
        world = World(bank)
        await world.lender.borrow(world.wants(10))
        bank.is_away = True
        running = asyncio.create_task(world.lender.run())
        await until(lambda: world.lender.failures >= 2)
        running.cancel()
        await asyncio.wait((running,))

    asyncio.run(main())


def test_what_dead_routers_held_is_freed() -> None:
    async def main() -> None:
        world = World(Bank())
        world.lender.gone("dead")
        running = asyncio.create_task(world.lender.run())
        await until(lambda: bool(world.bank.retired))
        running.cancel()
        await asyncio.wait((running,))
        assert ["dead"] == world.bank.retired

    asyncio.run(main())


@pytest.mark.parametrize("settings", [{"every_s": 0.0}, {"every_s": 30.0}, {"wait_s": 0.0}])
def test_settings_out_of_range_name_their_field(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        LenderSettings(**settings)
