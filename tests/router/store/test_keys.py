"""Keys as the management API sees them."""

import asyncio
from dataclasses import replace

import pytest

from router.policy.call import Priority
from router.policy.key import Interval, Rates
from router.protocol.errors import ApiError
from router.store.key_records import KeyChange, KeyRecord, NewKey, Spent
from router.store.rule_records import NewWorkspace
from tests.router.store.support import NOW, Stores, entry, lifetime, new_key, with_stores

A, B, C = "a" * 64, "b" * 64, "c" * 64
FULL = NewKey(
    id=A,
    label="sk-or-v1-abc...123",
    name="full",
    is_management=True,
    expires_at=NOW + 60.5,
    limit=5_000_000_000,
    limit_reset=Interval.WEEKLY,
    include_byok_in_limit=True,
    rates=Rates(requests_per_min=60, tokens_per_min=10**12, concurrent=3),
    priority=Priority.CRITICAL,
    models=("m/eyes", "m/ears"),
    providers=(),
    creator="user-1",
    external_user="their-7",
)


def record_of(new: NewKey, **values: object) -> KeyRecord:
    same = {field: getattr(new, field) for field in NewKey.__slots__}
    usual = {"is_disabled": False, "created_at": NOW, "updated_at": None, "last_used_at": None, "spent": Spent()}
    return KeyRecord(**(same | usual | values))


def test_a_key_comes_back_as_it_was_made(url: str) -> None:
    async def use(stores: Stores) -> None:
        for new in (FULL, new_key(B)):
            assert record_of(new) == await stores.keys.create(new)
            assert record_of(new) == await stores.keys.get(new.id)
        assert await stores.keys.get(C) is None
        assert await stores.keys.get("\0") is None

    with_stores(url, use)


def test_a_key_is_made_once(url: str) -> None:
    async def use(stores: Stores) -> None:
        made = await asyncio.gather(
            *(stores.keys.ensure(new_key(A, name=f"by router {number}")) for number in range(5))
        )
        assert 1 == sum(made)
        with pytest.raises(ApiError, match="exists already") as caught:
            await stores.keys.create(new_key(A))
        assert 409 == caught.value.status

    with_stores(url, use)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (new_key(workspace="nowhere"), "workspace_id"),
        (new_key(name="a\0b"), "name"),
        (new_key(name="a\ud800b"), "name"),
        (new_key(models=("fine", "not\0")), "models[1]"),
        (new_key(limit=-1), "limit"),
        (new_key(limit=2**63), "limit"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(url: str, new: NewKey, field: str) -> None:
    async def use(stores: Stores) -> None:
        with pytest.raises(ApiError) as caught:
            await stores.keys.create(new)
        assert (400, field) == (caught.value.status, caught.value.field)

    with_stores(url, use)


def test_a_key_shows_what_was_spent_in_the_present_windows(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.keys.create(FULL)
        days_ago = {0: 1, 1: 20, 20: 300, 60: 4_000}  # Thursday; the same week; the same month; earlier
        await stores.ledger.write(
            [entry(days, key=A, created=NOW - 86_400 * days, cost=cost) for days, cost in days_ago.items()]
        )
        spent = Spent(total=4_321, daily=1, weekly=21, monthly=321)
        expected = record_of(FULL, last_used_at=NOW, spent=spent)
        assert expected == await stores.keys.get(A)
        assert [expected] == await stores.keys.page()
        assert 5_000_000_000 - 21 == expected.limit_remaining
        stores.now = NOW + 86_400 * 4  # Monday, still November
        later = await stores.keys.get(A)
        assert later is not None
        assert Spent(total=4_321, daily=0, weekly=0, monthly=321) == later.spent

    with_stores(url, use)


@pytest.mark.parametrize(
    ("reset", "remaining"),
    [(Interval.DAILY, 9), (Interval.WEEKLY, 8), (Interval.MONTHLY, 7), (Interval.LIFETIME, -2)],
)
def test_what_remains_is_of_the_limits_own_window(reset: Interval, remaining: int) -> None:
    spent = Spent(total=12, daily=1, weekly=2, monthly=3)
    assert remaining == record_of(new_key(limit=10, limit_reset=reset), spent=spent).limit_remaining
    assert record_of(new_key(), spent=spent).limit_remaining is None


def test_pages_list_the_oldest_first_and_leave_out_what_is_not_asked_for(url: str) -> None:
    async def use(stores: Stores) -> None:
        elsewhere = (await stores.workspaces.create(NewWorkspace("else", "Elsewhere"))).id
        for number, new in enumerate(
            [
                new_key("1"),
                new_key("2", expires_at=NOW),
                new_key("3", workspace=elsewhere),
                new_key("4", expires_at=NOW + 500),
                new_key("5"),
            ]
        ):
            stores.now = NOW + number
            await stores.keys.create(new)
        await stores.keys.update("5", KeyChange(is_disabled=True))

        async def page(*args: object, **kwargs: object) -> str:
            return "".join([each.id for each in await stores.keys.page(*args, **kwargs)])  # type: ignore[arg-type]

        assert "14" == await page()
        assert "145" == await page(include_disabled=True)
        assert "124" == await page(include_expired=True)
        assert "3" == await page(elsewhere)
        assert "" == await page("'; DROP TABLE keys; --")
        assert "" == await page("\0")
        everything = {"include_disabled": True, "include_expired": True}
        assert "12345" == await page(None, **everything)
        assert "23" == await page(None, offset=1, limit=2, **everything)

    with_stores(url, use)


def test_only_what_is_set_changes(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.workspaces.create(NewWorkspace("other", "Other"))
        await stores.keys.create(FULL)
        stores.now = NOW + 9
        assert record_of(FULL, name="new", updated_at=NOW + 9) == await stores.keys.update(A, KeyChange(name="new"))
        everything = KeyChange(
            is_disabled=True,
            workspace="workspace-1",
            expires_at=None,
            limit=None,
            limit_reset=Interval.LIFETIME,
            include_byok_in_limit=False,
            rates=Rates(),
            priority=Priority.BATCH,
            models=None,
            providers=("local",),
        )
        changed = {name: getattr(everything, name) for name in KeyChange.__slots__ if name != "name"}
        expected = replace(record_of(FULL, name="new", updated_at=NOW + 9), **changed)
        assert expected == await stores.keys.update(A, everything)
        assert await stores.keys.update(B, KeyChange(name="new")) is None
        assert await stores.keys.update("\0", KeyChange(name="new")) is None
        with pytest.raises(ApiError, match="there is no such workspace"):
            await stores.keys.update(A, KeyChange(workspace="nowhere"))

    with_stores(url, use)


def test_a_deleted_key_leaves_its_rows_and_what_it_spent(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.keys.create(new_key(A))
        await stores.ledger.write([entry(1, key=A)])
        assert await stores.keys.delete(A)
        assert not await stores.keys.delete(A)
        assert not await stores.keys.delete("\0")
        assert await stores.keys.get(A) is None
        assert entry(1, key=A) == await stores.ledger.find("gen-1")
        assert {lifetime(f"key:{A}"): 1_000_000} == await stores.ledger.spent([lifetime(f"key:{A}")])

    with_stores(url, use)


def test_names_that_look_like_sql_are_names(url: str) -> None:
    evil = "Robert'); DROP TABLE keys; -- %s :name $1 ?"

    async def use(stores: Stores) -> None:
        made = await stores.keys.create(new_key(evil, name=evil, creator=evil))
        assert (evil, evil, evil) == (made.id, made.name, made.creator)
        assert made == await stores.keys.get(evil)
        assert {evil} == set(await stores.keys.find([evil]))

    with_stores(url, use)
