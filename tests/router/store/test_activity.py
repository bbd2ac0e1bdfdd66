"""Usage by day, model and pool: sums of the ledger's rows, whatever they are asked by."""

import pytest

from router.protocol.entry import Entry
from router.store.activity import Activity, ActivityStore, Wanted
from router.store.key_records import NewKey
from tests.router.store.support import NOW, Stores, entry, new_key, with_stores

DAY = 86_400
TODAY = int(NOW)
ALL = Wanted(TODAY - 30 * DAY, TODAY)
SERVED = {"model": "m/eyes", "pool": "local/m", "provider": "local"}


def row(day: int, **values: object) -> Activity:
    usual: dict[str, object] = {
        "day": TODAY - day * DAY,
        "model": "m/eyes",
        "pool": "local/m",
        "provider": "local",
        "workspace": None,
        "requests": 1,
        "cost": 1_000_000,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "reasoning_tokens": 2,
        "cached_tokens": 4,
    }
    return Activity(**(usual | values))  # type: ignore[arg-type]


def used(number: int, days_ago: float, **values: object) -> Entry:
    tokens = {"prompt_tokens": 10, "completion_tokens": 5, "reasoning_tokens": 2, "cached_tokens": 4}
    return entry(number, created=NOW - days_ago * DAY, **(SERVED | tokens | values))


async def fill(stores: Stores) -> ActivityStore:
    creator = NewKey(id="b" * 64, label="l", name="n", creator="user-1")
    await stores.keys.create(creator)
    await stores.keys.create(new_key())
    await stores.ledger.write(
        [
            used(1, -0.5),  # today is not over
            used(2, 0.1),
            used(3, 0.9, cost=5),
            used(4, 0.5, model="m/other", pool="far", provider="far"),
            used(5, 0.5, pool="", model="", provider=""),  # no pool was tried
            used(6, 29.9, key="b" * 64, workspace="w"),
            used(7, 30.1),  # too long ago
        ]
    )
    return ActivityStore(stores.database)


def test_rows_are_added_up_by_day_model_and_pool(url: str) -> None:
    async def use(stores: Stores) -> None:
        activity = await fill(stores)
        both = {"requests": 2, "cost": 1_000_005, "prompt_tokens": 20, "completion_tokens": 10}
        assert [
            row(1, **both, reasoning_tokens=4, cached_tokens=8),
            row(1, model="m/other", pool="far", provider="far"),
            row(30),
        ] == await activity.rows(ALL)

    with_stores(url, use)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(ALL.since, ALL.until, key="b" * 64),
        Wanted(ALL.since, ALL.until, creator="user-1"),
        Wanted(ALL.since, ALL.until, workspace="w"),
        Wanted(ALL.since, ALL.since + DAY),
    ],
)
def test_one_day_key_person_or_workspace_can_be_asked_for(url: str, wanted: Wanted) -> None:
    async def use(stores: Stores) -> None:
        assert [row(30)] == await (await fill(stores)).rows(wanted)

    with_stores(url, use)


def test_workspaces_are_told_apart_if_that_is_asked_for(url: str) -> None:
    async def use(stores: Stores) -> None:
        activity = await fill(stores)
        await stores.ledger.write([used(8, 29.9)])
        found = await activity.rows(Wanted(ALL.since, ALL.since + DAY, by_workspace=True))
        assert [row(30, workspace="default"), row(30, workspace="w")] == found

    with_stores(url, use)


@pytest.mark.parametrize("name", ["key", "creator", "workspace"])
def test_names_that_nothing_can_have_are_found_nowhere(url: str, name: str) -> None:
    async def use(stores: Stores) -> None:
        activity = await fill(stores)
        for text in ("\0", "\ud800", "'; DROP TABLE generations; --"):
            assert [] == await activity.rows(Wanted(ALL.since, ALL.until, **{name: text}))  # type: ignore[arg-type]

    with_stores(url, use)


def test_more_rows_than_one_answer_holds_are_told_and_not_cut(url: str) -> None:
    async def use(stores: Stores) -> None:
        await fill(stores)
        activity = ActivityStore(stores.database, most=2)
        assert await activity.rows(ALL) is None
        assert [row(30)] == await activity.rows(Wanted(ALL.since, ALL.since + DAY))

    with_stores(url, use)
