"""What engines said they computed, as several routers noted it."""

from router.policy.catalog import EndpointId
from router.policy.meter import Meter, Reading
from router.store.meter import Increase
from tests.router.store.support import NOW, Stores, with_stores

E1, E2 = EndpointId("e1"), EndpointId("e2")
HOUR = 3_600


def test_what_routers_read_while_they_come_and_go_is_one_rising_line(url: str) -> None:
    async def use(stores: Stores) -> None:
        looks = {  # seconds, prompt, generation; the engine starts again at 50
            "boot-1": [(0, 0, 0), (10, 100, 10), (20, 200, 20)],
            "boot-2": [(15, 150, 15), (30, 300, 30), (49, 490, 49), (51, 0, 0), (60, 90, 9)],
            "boot-3": [(55, 40, 4), (70, 190, 19)],
        }
        for router, seen in looks.items():
            meter = Meter()
            for second, prompt, generation in seen:
                meter.saw(E1, "pool", prompt=prompt, generation=generation, unix_s=NOW + second)
                await stores.meter.note(router, meter.changed())
        assert [Increase("pool", 490 + 190, 49 + 19)] == await stores.meter.increase()

    with_stores(url, use)


def test_increases_are_told_by_pool_and_hour(url: str) -> None:
    async def use(stores: Stores) -> None:
        meter = Meter()
        for hours, tokens in ((0.2, 100), (0.9, 150), (1.5, 300), (2.5, 700)):
            for endpoint in (E1, E2):
                meter.saw(endpoint, f"pool-{endpoint}", prompt=tokens, generation=tokens, unix_s=NOW + hours * HOUR)
            await stores.meter.note("r1", meter.changed())

        async def increase(since: float, until: float) -> list[int]:
            return [each.prompt_tokens for each in await stores.meter.increase(NOW + since * HOUR, NOW + until * HOUR)]

        assert [600, 600] == await increase(0, 99)
        assert [50, 50] == await increase(0, 1)
        assert [150, 150] == await increase(1, 2)
        assert [550, 550] == await increase(1, 3)
        assert [] == await increase(3, 99)

    with_stores(url, use)


def test_a_reading_that_is_noted_again_or_late_changes_nothing(url: str) -> None:
    early = Reading(E1, "pool", int(NOW * 1e3), 0, 0, 10, 1, NOW + 1)
    late = Reading(E1, "pool", int(NOW * 1e3), 0, 0, 30, 3, NOW + 3)

    async def use(stores: Stores) -> None:
        for readings in ([late, early], [early], [late], []):
            await stores.meter.note("r1", readings)
            assert [Increase("pool", 30, 3)] == await stores.meter.increase()

    with_stores(url, use)


def test_old_looks_are_forgotten(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.meter.note("r1", [Reading(E1, "pool", int(NOW * 1e3), 0, 0, 10, 1, NOW + 1)])
        assert [0, 1, 0] == [
            await stores.meter.forget(NOW + 1),
            await stores.meter.forget(NOW + 2),
            await stores.meter.forget(NOW + 2),
        ]
        assert [] == await stores.meter.increase()

    with_stores(url, use)
