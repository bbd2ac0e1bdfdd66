"""Who holds how much of a budget, and until when."""

import pytest

from router.policy.key import Interval, Window
from router.policy.lending import Grant, Want
from router.store.leases import LINGERS_S, grant
from tests.router.store.support import NOW, Stores, entry, lifetime, with_stores

LIFE = lifetime()
OTHER = lifetime("workspace:default")


@pytest.mark.parametrize(
    ("left", "need", "wish", "granted"),
    [
        (100, 10, 50, 50),
        (100, 10, 500, 100),
        (100, 50, 10, 50),
        (1, 10, 500, 10),  # overdrawn by one request
        (0, 10, 500, 0),
        (-5, 10, 500, 0),
        (1, 0, 500, 1),  # never overdrawn for a mere wish
        (100, 0, 0, 0),
    ],
)
def test_a_want_is_granted_by_the_rule(left: int, need: int, wish: int, granted: int) -> None:
    assert granted == grant(Want(LIFE, 1_000, need, wish), left)


def test_grants_answer_in_the_order_of_the_wants(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.ledger.write([entry(1, cost=30)])
        wants = [Want(OTHER, 100, 10, 20), Want(LIFE, 40, 10, 20), Want(OTHER, 100, 10, 20)]
        assert [
            Grant(OTHER, held=20, granted=20, spent=30),
            Grant(LIFE, held=10, granted=10, spent=30),
            Grant(OTHER, held=40, granted=20, spent=30),
        ] == await stores.leases.borrow("r1", wants, 60)
        assert [Grant(OTHER, held=30, granted=30, spent=30)] == await stores.leases.borrow(
            "r2", [Want(OTHER, 100, 0, 99)], 60
        )
        assert [Grant(OTHER, held=40, granted=0, spent=30)] == await stores.leases.borrow(
            "r1", [Want(OTHER, 100, 5, 5)], 60
        )
        assert [] == await stores.leases.borrow("r1", [], 60)

    with_stores(url, use)


def test_what_expired_is_lent_to_others_and_never_held_again(url: str) -> None:
    want = Want(LIFE, 100, 0, 100)

    async def use(stores: Stores) -> None:
        assert [Grant(LIFE, 100, 100, 0)] == await stores.leases.borrow("r1", [want], 0)  # expires at once
        assert [Grant(LIFE, 100, 100, 0)] == await stores.leases.borrow("r2", [want], 60)
        assert {} == await stores.leases.renew("r1", 60)
        assert {LIFE: 100} == await stores.leases.renew("r2", 60)
        assert [Grant(LIFE, 0, 0, 0)] == await stores.leases.borrow("r1", [want], 60)

    with_stores(url, use)


def test_a_router_that_borrows_again_after_its_lease_expired_holds_what_it_borrowed_then(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.leases.borrow("r1", [Want(LIFE, 100, 0, 70)], 0)
        assert [Grant(LIFE, 40, 40, 0)] == await stores.leases.borrow("r1", [Want(LIFE, 100, 0, 40)], 60)

    with_stores(url, use)


def test_a_renewed_lease_lives_on(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.leases.borrow("r1", [Want(LIFE, 100, 0, 70)], 3_600)
        assert {LIFE: 70} == await stores.leases.renew("r1", 0)
        assert 0 == await stores.leases.held(LIFE)

    with_stores(url, use)


def test_what_others_left_behind_is_dropped_by_whoever_lives(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.leases.borrow("dead", [Want(LIFE, 100, 0, 70)], 0)
        await stores.leases.renew("r1", 60)
        await stores.leases.borrow("r1", [Want(LIFE, 100, 0, 70)], 60)
        await stores.leases.renew("dead", 60)
        assert 70 == await stores.leases.held(LIFE)

    with_stores(url, use)


def test_what_is_given_back_is_free(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.leases.borrow("r1", [Want(LIFE, 100, 0, 100), Want(OTHER, 100, 0, 100)], 60)
        await stores.leases.give_back("r1", {LIFE: 30, OTHER: 10**15, lifetime("key:never"): 5})
        await stores.leases.give_back("r1", {})
        assert {LIFE: 70} == await stores.leases.renew("r1", 60)
        assert [Grant(LIFE, 30, 30, 0)] == await stores.leases.borrow("r2", [Want(LIFE, 100, 0, 100)], 60)

    with_stores(url, use)


def test_a_router_that_retires_holds_nothing(url: str) -> None:
    async def use(stores: Stores) -> None:
        for router in ("r1", "r2"):
            await stores.leases.borrow(router, [Want(LIFE, 100, 0, 40), Want(OTHER, 100, 0, 40)], 60)
        await stores.leases.retire("r1")
        assert {} == await stores.leases.renew("r1", 60)
        assert {LIFE: 40, OTHER: 40} == await stores.leases.renew("r2", 60)

    with_stores(url, use)


def test_leases_of_days_that_are_long_over_are_dropped(url: str) -> None:
    async def use(stores: Stores) -> None:
        async with stores.database.reading() as connection:
            now = await stores.leases._now(connection)
        today = Window("key:k", Interval.DAILY, Interval.DAILY.start(now))
        over = Window("key:k", Interval.DAILY, Interval.DAILY.start(now - 86_400 - LINGERS_S))
        wants = [Want(window, 100, 0, 40) for window in (today, over, LIFE)]
        await stores.leases.borrow("r1", wants, 60)
        assert {today: 40, LIFE: 40} == await stores.leases.renew("r1", 60)
        assert 0 == await stores.leases.held(over)

    with_stores(url, use)


def test_more_windows_than_fit_into_one_statement_are_lent(url: str) -> None:
    windows = [lifetime(f"key:{number:05}") for number in range(4_500)]

    async def use(stores: Stores) -> None:
        grants = await stores.leases.borrow("r1", [Want(window, 100, 0, 40) for window in windows], 60)
        assert windows == [each.window for each in grants]
        assert dict.fromkeys(windows, 40) == await stores.leases.renew("r1", 60)
        await stores.leases.give_back("r1", dict.fromkeys(windows, 40))
        assert {} == await stores.leases.renew("r1", 60)

    with_stores(url, use)


def test_owners_and_routers_that_look_like_sql_are_names(url: str) -> None:
    evil = "'; DELETE FROM leases; --"

    async def use(stores: Stores) -> None:
        await stores.leases.borrow("r1", [Want(LIFE, 100, 0, 40)], 60)
        await stores.leases.borrow(evil, [Want(lifetime(evil), 100, 0, 40)], 60)
        assert {lifetime(evil): 40} == await stores.leases.renew(evil, 60)
        assert {LIFE: 40} == await stores.leases.renew("r1", 60)

    with_stores(url, use)


def test_the_day_that_tests_pretend_is_a_thursday_at_midnight() -> None:
    assert (NOW, NOW - 3 * 86_400) == (Interval.DAILY.start(NOW), Interval.WEEKLY.start(NOW))
