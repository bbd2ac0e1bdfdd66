from pathlib import Path
from typing import Any

import pytest

from tests.router.api.accounts_app import AccountsApp
from tests.router.api.test_keys import told, with_accounts


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"slug": "Big"}, "slug"),
        ({"slug": "a--b"}, "slug"),
        ({"slug": "a\n"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"slug": "a" * 51}, "slug"),
        ({"name": ""}, "name"),
        ({"default_text_model": "m/eyes"}, "default_text_model"),
        ({"is_observability_io_logging_enabled": True}, "is_observability_io_logging_enabled"),
        ({"io_logging_sampling_rate": 0.5}, "io_logging_sampling_rate"),
        ({"disabled_server_tools": ["openrouter:web_search"]}, "disabled_server_tools"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, body: dict[str, Any], field: str) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            response = await manager.post("/workspaces", json={"name": "W", "slug": "w"} | body)
            assert (told(response)[0], told(response)[2]) == (400, field)

    with_accounts(tmp_path, test)


def test_a_slug_is_taken_once(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            assert (await manager.post("/workspaces", json={"name": "W", "slug": "w"})).status_code == 201
            assert told(await manager.post("/workspaces", json={"name": "W", "slug": "w"}))[0] == 409

    with_accounts(tmp_path, test)


def test_a_workspace_with_keys_and_the_default_one_stay(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            made = (await manager.post("/workspaces", json={"name": "W", "slug": "w"})).json()["data"]
            await manager.post("/keys", json={"name": "k", "workspace_id": made["id"]})
            assert told(await manager.delete("/workspaces/w"))[0] == 400
            assert told(await manager.delete("/workspaces/default"))[0] == 400

    with_accounts(tmp_path, test)


def test_budgets_are_put_shown_and_deleted(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            path = "/workspaces/default/budgets"
            body = {"limit_usd": 10, "include_byok_in_budgets": True}
            put = (await manager.put(f"{path}/daily", json=body)).json()["data"]
            assert (put["limit_usd"], put["reset_interval"]) == (10, "daily")
            forever = (await manager.put(f"{path}/lifetime", json={"limit_usd": 100})).json()["data"]
            assert forever["reset_interval"] is None
            listed = (await manager.get(path)).json()
            assert listed == {"data": [put, forever], "include_byok_in_budgets": True}
            assert (await manager.get(f"{path}/daily")).json()["data"] == put
            assert told(await manager.get(f"{path}/weekly"))[0] == 404
            assert (await manager.delete(f"{path}/daily")).json() == {"deleted": True}
            assert told(await manager.delete(f"{path}/daily"))[0] == 404

    with_accounts(tmp_path, test)


def test_a_budget_that_is_none_is_refused(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            path = "/workspaces/default/budgets"
            assert told(await manager.put(f"{path}/hourly", json={"limit_usd": 1}))[2] == "interval"
            assert told(await manager.put(f"{path}/daily", json={"limit_usd": 0}))[2] == "limit_usd"
            await manager.put(f"{path}/daily", json={"limit_usd": 10})
            assert told(await manager.put(f"{path}/weekly", json={"limit_usd": 5}))[2] == "limit_usd"

    with_accounts(tmp_path, test)
