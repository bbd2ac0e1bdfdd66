"""Workspaces and their budgets."""

import asyncio

import pytest

from router.policy.key import Interval
from router.protocol.errors import ApiError
from router.store.rule_records import NewGuardrail, NewWorkspace, WorkspaceBudget, WorkspaceChange, WorkspaceRecord
from tests.router.store.support import NOW, Stores, new_key, with_stores

TEAM = NewWorkspace("team", "Team'; --", "words", "user-1", '{"default_text_model":"m"}')
RECORD = WorkspaceRecord("workspace-1", "team", "Team'; --", "words", False, TEAM.other, "user-1", NOW, None)


def test_a_workspace_comes_back_as_it_was_made_and_changed(url: str) -> None:
    async def use(stores: Stores) -> None:
        assert RECORD == await stores.workspaces.create(TEAM)
        assert RECORD == await stores.workspaces.get("team") == await stores.workspaces.get("workspace-1")
        assert ["default", "workspace-1"] == [each.id for each in await stores.workspaces.page()]
        assert ["workspace-1"] == [each.id for each in await stores.workspaces.page(offset=1, limit=5)]
        stores.now = NOW + 5
        change = WorkspaceChange("new", "New", None, include_byok_in_budgets=True, other="{}")
        changed = WorkspaceRecord("workspace-1", "new", "New", None, True, "{}", "user-1", NOW, NOW + 5)
        assert changed == await stores.workspaces.update("workspace-1", change)
        assert changed == await stores.workspaces.update("workspace-1", WorkspaceChange())
        assert await stores.workspaces.delete("workspace-1")
        for missing in ("workspace-1", "\0"):
            assert await stores.workspaces.get(missing) is None
            assert await stores.workspaces.update(missing, change) is None
            assert not await stores.workspaces.delete(missing)

    with_stores(url, use)


def test_a_slug_is_one_workspaces(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.workspaces.create(TEAM)
        for attempt in (
            stores.workspaces.create(NewWorkspace("default", "another")),
            stores.workspaces.update("workspace-1", WorkspaceChange(slug="default")),
        ):
            with pytest.raises(ApiError) as caught:
                await attempt
            assert (409, "slug") == (caught.value.status, caught.value.field)
        with pytest.raises(ApiError, match="NUL"):
            await stores.workspaces.create(NewWorkspace("a\0", "b"))

    with_stores(url, use)


def test_a_workspace_with_anything_in_it_stays(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.workspaces.create(TEAM)
        await stores.budgets.put("workspace-1", Interval.DAILY, 5)
        await stores.keys.create(new_key(workspace="workspace-1"))
        await stores.guardrails.create(NewGuardrail("g", workspace="workspace-1"))
        for problem in ("there are keys", "there are guardrails"):
            with pytest.raises(ApiError, match=problem):
                await stores.workspaces.delete("workspace-1")
            await stores.keys.delete("a" * 64)
        await stores.guardrails.delete("guardrail-3")
        assert await stores.workspaces.delete("workspace-1")
        assert [] == await stores.budgets.all("workspace-1")
        with pytest.raises(ApiError, match="the default workspace"):
            await stores.workspaces.delete("default")

    with_stores(url, use)


def test_budgets_are_made_changed_and_deleted(url: str) -> None:
    async def use(stores: Stores) -> None:
        assert WorkspaceBudget("budget-1", "default", Interval.LIFETIME, 50, NOW, NOW) == await stores.budgets.put(
            "default", Interval.LIFETIME, 50
        )
        await stores.budgets.put("default", Interval.DAILY, 5)
        stores.now = NOW + 3
        changed = WorkspaceBudget("budget-1", "default", Interval.LIFETIME, 60, NOW, NOW + 3)
        assert changed == await stores.budgets.put("default", Interval.LIFETIME, 60)
        assert [Interval.DAILY, Interval.LIFETIME] == [each.interval for each in await stores.budgets.all("default")]
        assert await stores.budgets.delete("default", Interval.DAILY)
        assert not await stores.budgets.delete("default", Interval.DAILY)
        assert not await stores.budgets.delete("\0", Interval.DAILY)
        assert [changed] == await stores.budgets.all("default")
        assert [] == await stores.budgets.all("\0")

    with_stores(url, use)


@pytest.mark.parametrize(
    ("interval", "limit", "problem"),
    [
        (Interval.WEEKLY, 10, "must be above the daily budget"),
        (Interval.WEEKLY, 30, "must be below the monthly budget"),
        (Interval.LIFETIME, 30, "must be above the monthly budget"),
        (Interval.DAILY, 30, "must be below the monthly budget"),
        (Interval.DAILY, 0, "must be above 0"),
        (Interval.DAILY, -5, "must be from 0"),
    ],
)
def test_budgets_grow_with_their_interval(url: str, interval: Interval, limit: int, problem: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.budgets.put("default", Interval.DAILY, 10)
        await stores.budgets.put("default", Interval.MONTHLY, 30)
        with pytest.raises(ApiError, match=problem) as caught:
            await stores.budgets.put("default", interval, limit)
        assert "limit_usd" == caught.value.field

    with_stores(url, use)


def test_budgets_that_are_put_at_once_still_grow(url: str) -> None:
    async def use(stores: Stores) -> None:
        puts = [stores.budgets.put("default", interval, 10) for interval in Interval]
        outcomes = await asyncio.gather(*puts, return_exceptions=True)
        assert 1 == sum(isinstance(each, WorkspaceBudget) for each in outcomes)
        assert 1 == len(await stores.budgets.all("default"))

    with_stores(url, use)


def test_a_workspace_that_is_not_there_has_no_budgets(url: str) -> None:
    async def use(stores: Stores) -> None:
        with pytest.raises(ApiError, match="there is no such workspace"):
            await stores.budgets.put("nowhere", Interval.DAILY, 10)

    with_stores(url, use)
