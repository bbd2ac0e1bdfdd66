"""Rows of the ledger: written once, whatever happens, and the only thing that spends."""

import asyncio
import random

import pytest

from router.policy.key import Interval, Window
from router.policy.lending import Want
from router.protocol.entry import Entry
from tests.router.store.support import NOW, Stores, entry, lifetime, new_key, with_stores

DAY = 86_400


def test_a_row_comes_back_as_it_was_written(url: str) -> None:
    full = Entry(
        id="gen-1",
        created=1_795_651_200.123456,
        router="boot",
        key="k",
        workspace="w",
        kind="chat",
        streamed=True,
        requested="m/eyes:nitro",
        model="m/eyes",
        provider="local",
        pool="local/m",
        status="cancelled",
        http_status=499,
        finish_reason="stop",
        native_finish_reason="eos",
        prompt_tokens=10,
        cached_tokens=4,
        completion_tokens=3,
        image_tokens=2,
        is_exact=False,
        cost=123_456_789_012,
        attempts=2,
        latency_ms=12,
        duration_ms=340,
        generation_ms=300,
        external_user="u",
        session_id="s",
        referer="https://a.example/b",
        title="App",
        user_agent="agent/1",
        upstream_id="chatcmpl-1",
        preset_id="p",
        service_tier="flex",
        answers='[{"provider":"local","pool":"local/m","status":200}]',
        media=2,
        reasoning_tokens=1,
        cache_discount=17,
        cached_from="gen-0",
    )

    async def use(stores: Stores) -> None:
        assert 2 == await stores.ledger.write([full, entry(2)])
        assert full == await stores.ledger.find("gen-1")
        assert entry(2) == await stores.ledger.find("gen-2")
        assert await stores.ledger.find("gen-3") is None
        assert await stores.ledger.find("gen-\0") is None

    with_stores(url, use)


def test_nothing_is_written_for_nothing(url: str) -> None:
    async def use(stores: Stores) -> None:
        assert 0 == await stores.ledger.write([])

    with_stores(url, use)


def test_a_batch_that_is_written_twice_counts_once(url: str) -> None:
    batch = [entry(number) for number in range(5)]

    async def use(stores: Stores) -> None:
        assert 5 == await stores.ledger.write(batch)
        assert 0 == await stores.ledger.write(batch)
        assert 1 == await stores.ledger.write([*batch, entry(5), entry(5)])
        assert {lifetime(): 6_000_000} == await stores.ledger.spent([lifetime()])
        assert [] == await stores.sums.differences()

    with_stores(url, use)


def test_a_batch_that_is_written_by_many_at_once_counts_once(url: str) -> None:
    batch = [entry(number, key=f"k{number % 3}") for number in range(40)]

    async def use(stores: Stores) -> None:
        shuffled = [random.Random(seed).sample(batch, len(batch)) for seed in range(6)]
        assert 40 == sum(await asyncio.gather(*(stores.ledger.write(each) for each in shuffled)))
        owner = lifetime("workspace:default")
        assert {owner: 40_000_000} == await stores.ledger.spent([owner])
        assert [] == await stores.sums.differences()

    with_stores(url, use)


def test_writers_with_the_same_keys_in_different_orders_do_not_wait_for_each_other(url: str) -> None:
    async def use(stores: Stores) -> None:
        async def write(writer: int) -> int:
            rng, written = random.Random(writer), 0
            for batch in range(10):
                some = [
                    entry(f"{writer}-{batch}-{n}", key=f"k{rng.randrange(8)}", router=f"r{writer}") for n in range(20)
                ]
                written += await stores.ledger.write(some)
                await stores.leases.borrow(
                    f"r{writer}",
                    [Want(lifetime(f"key:k{n}"), 10**12, 0, 10**7) for n in rng.sample(range(12), 6)],
                    60,
                )
                await stores.leases.renew(f"r{writer}", 60)
                await stores.leases.give_back(
                    f"r{writer}", {lifetime(f"key:k{n}"): 5 for n in rng.sample(range(12), 6)}
                )
            return written

        assert 4 * 200 == sum(await asyncio.gather(*(write(writer) for writer in range(4))))
        assert [] == await stores.sums.differences()

    with_stores(url, use)


def test_what_a_row_costs_counts_into_the_windows_of_when_it_arrived(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.ledger.write([entry(1), entry(2, created=NOW - 1), entry(3, created=NOW - 4 * DAY, workspace="w")])
        day, week, month = (each.start(NOW) for each in (Interval.DAILY, Interval.WEEKLY, Interval.MONTHLY))
        expected = {
            Window("key:k", Interval.DAILY, day): 1_000_000,
            Window("key:k", Interval.DAILY, day - DAY): 1_000_000,
            Window("key:k", Interval.WEEKLY, week): 2_000_000,
            Window("key:k", Interval.WEEKLY, week - 7 * DAY): 1_000_000,
            Window("key:k", Interval.MONTHLY, month): 3_000_000,
            Window("key:k", Interval.LIFETIME, 0): 3_000_000,
            Window("workspace:w", Interval.LIFETIME, 0): 1_000_000,
            Window("workspace:default", Interval.WEEKLY, week): 2_000_000,
            Window("workspace:default", Interval.WEEKLY, week - 7 * DAY): 0,
        }
        assert expected == await stores.ledger.spent(expected)

    with_stores(url, use)


def test_a_row_takes_its_cost_off_the_lease_of_the_router_that_served_it(url: str) -> None:
    week = Window("key:k", Interval.WEEKLY, Interval.WEEKLY.start(NOW))

    async def use(stores: Stores) -> None:
        wants = [Want(lifetime(), 10**9, 0, 5_000_000), Want(week, 10**9, 0, 1_500_000)]
        for router in ("r1", "r2"):
            await stores.leases.borrow(router, wants, 60)
        await stores.ledger.write([entry(1), entry(2), entry(3, key="other"), entry(4, cost=0)])
        assert {lifetime(): 3_000_000} == await stores.leases.renew("r1", 60)  # the week's is used up
        assert {lifetime(): 5_000_000, week: 1_500_000} == await stores.leases.renew("r2", 60)
        await stores.ledger.write([entry(1), entry(2)])
        assert {lifetime(): 3_000_000} == await stores.leases.renew("r1", 60)

    with_stores(url, use)


def test_a_key_was_last_used_when_its_latest_row_arrived(url: str) -> None:
    key = "a" * 64

    async def use(stores: Stores) -> None:
        await stores.keys.create(new_key(key))
        await stores.ledger.write([entry(1, key=key, created=NOW + 5), entry(2, key=key, created=NOW + 7)])
        await stores.ledger.write([entry(3, key=key, created=NOW + 1)])
        record = await stores.keys.get(key)
        assert record is not None
        assert NOW + 7 == record.last_used_at

    with_stores(url, use)


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ({"requested": "a\0b"}, {"requested": "a\N{REPLACEMENT CHARACTER}b"}),
        ({"requested": "a\ud800b"}, {"requested": "a?b"}),
        ({"model": "m" * 9_999}, {"model": "m" * 512}),
        ({"completion_tokens": 10**40}, {"completion_tokens": 2**53}),
        ({"requested": "'; DROP TABLE generations; --"}, {"requested": "'; DROP TABLE generations; --"}),
    ],
)
def test_no_row_is_refused_for_what_is_in_it(url: str, asked: dict[str, object], stored: dict[str, object]) -> None:
    async def use(stores: Stores) -> None:
        assert 2 == await stores.ledger.write([entry(1, **asked), entry(2)])
        assert entry(1, **stored) == await stores.ledger.find("gen-1")

    with_stores(url, use)


def test_ids_that_look_like_sql_are_ids(url: str) -> None:
    evil = "x'; UPDATE spend SET nano = 0; --\"\\%"

    async def use(stores: Stores) -> None:
        await stores.ledger.write([entry(evil, key=evil, workspace=evil, router=evil)])
        assert entry(evil, key=evil, workspace=evil, router=evil) == await stores.ledger.find(f"gen-{evil}")
        assert {lifetime(f"key:{evil}"): 1_000_000} == await stores.ledger.spent([lifetime(f"key:{evil}")])

    with_stores(url, use)
