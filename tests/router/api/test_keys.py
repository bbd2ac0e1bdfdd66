import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.policy.key import Interval, Window
from router.store.spending import add
from tests.router.api.accounts_app import BASE, CALLER, AccountsApp, accounts_app, app_without_database

Test = Callable[[AccountsApp], Awaitable[None]]


def with_accounts(tmp_path: Path, test: Test) -> None:
    async def run() -> None:
        async with accounts_app(f"sqlite:///{tmp_path}/router.db") as accounts:
            await test(accounts)

    asyncio.run(run())


def told(response: httpx.Response) -> tuple[int, str, str | None]:
    """Status, message and field of an error."""
    error = response.json()["error"]
    assert error["code"] == response.status_code
    return response.status_code, error["message"], error["metadata"].get("field")


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({}, "name", "is required"),
        ({"name": ""}, "name", "expected `str` of length >= 1"),
        ({"name": "n" * 201}, "name", "expected `str` of length <= 200"),
        ({"name": 5}, "name", "expected `str`, got `int`"),
        ({"name": "n\0"}, "name", "must hold no NUL character and no lone surrogate"),
        ({"name": "n", "limt": 5}, "limt", "is not a field of this request"),
        ({"name": "n", "limit": -1}, "limit", "expected `float` >= 0.0"),
        ({"name": "n", "limit": 1e300}, "limit", "expected `float` <= 9000000000.0"),
        ({"name": "n", "limit_reset": "hourly"}, "limit_reset", "invalid enum value 'hourly'"),
        ({"name": "n", "expires_at": "soon"}, "expires_at", "must be a time with seconds and a time zone"),
        ({"name": "n", "expires_at": "2099-01-01T00:00Z"}, "expires_at", "must be a time with seconds"),
        ({"name": "n", "expires_at": "2099-01-01T00:00:00"}, "expires_at", "must be a time with seconds and"),
        ({"name": "n", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at", "must be in the future"),
        ({"name": "n", "workspace_id": "nowhere"}, "workspace_id", "there is no such workspace"),
        ({"name": "n", "rates": {"concurrent": 0}}, "rates.concurrent", "expected `int` >= 1"),
        ({"name": "n", "rates": {"per_hour": 1}}, "rates.per_hour", "is not a field of this request"),
        ({"name": "n", "priority": "urgent"}, "priority", "invalid enum value 'urgent'"),
        ({"name": "n", "allowed_models": []}, "allowed_models", "expected `array` of length >= 1"),
        ({"name": "n", "allowed_models": ["m", 5]}, "allowed_models[1]", "expected `str`, got `int`"),
        ({"name": "n", "external": {"user": "u", "api_key": "x"}}, "external.api_key", "is not a field"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, body: dict[str, Any], field: str, problem: str) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            status, message, named = told(await manager.post("/keys", json=body))
            assert (status, named) == (400, field)
            assert message.startswith(f"{field}: {problem}")

    with_accounts(tmp_path, test)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"[" * 200_000, b'{"name":"\xff"}'])
def test_what_is_no_object_is_refused(tmp_path: Path, body: bytes) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            assert told(await manager.post("/keys", content=body))[0] == 400
            assert told(await manager.post("/keys", content=b"x" * 300_000))[0] == 413

    with_accounts(tmp_path, test)


def test_what_a_key_is_made_with_is_what_it_is_shown_with(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            body = {
                "name": "team",
                "limit": 0.25,
                "limit_reset": "daily",
                "expires_at": "2099-12-31T23:59:59Z",
                "rates": {"requests_per_min": 60, "tokens_per_min": 10_000},
                "priority": "batch",
                "allowed_models": ["m/eyes"],
                "allowed_providers": ["local"],
                "creator_user_id": "u1",
                "external": {"user": "e1"},
            }
            made = (await manager.post("/keys", json=body)).json()
            shown = made["data"]
            assert shown["rates"] == {"requests_per_min": 60, "tokens_per_min": 10_000, "concurrent": None}
            assert (shown["limit"], shown["limit_remaining"], shown["limit_reset"]) == (0.25, 0.25, "daily")
            assert (shown["priority"], shown["allowed_models"], shown["external_user"]) == ("batch", ["m/eyes"], "e1")
            assert shown["expires_at"] == "2099-12-31T23:59:59.000Z"
            assert made["key"] not in json.dumps(shown)
            async with accounts.client(made["key"]) as holder:
                own = (await holder.get("/key")).json()["data"]
                assert (own["rates"], own["priority"], own["allowed_models"]) == (shown["rates"], "batch", ["m/eyes"])
                assert own == (await holder.get("/auth/key")).json()["data"]
            path = f"/keys/{shown['hash']}"
            assert (await manager.get(path)).json()["data"] == shown
            changes = {"rates": {"concurrent": 2}, "allowed_models": None, "limit_reset": None, "expires_at": None}
            changed = (await manager.patch(path, json=changes)).json()["data"]
            assert changed["rates"] == {"requests_per_min": None, "tokens_per_min": None, "concurrent": 2}
            assert (changed["allowed_models"], changed["limit_reset"], changed["expires_at"]) == (None, None, None)
            assert (changed["name"], changed["limit"]) == ("team", 0.25)

    with_accounts(tmp_path, test)


def test_a_change_counts_for_the_next_request_of_this_router(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            made = (await manager.post("/keys", json={"name": "n"})).json()
            path = f"/keys/{made['data']['hash']}"
            async with accounts.client(made["key"]) as holder:
                assert (await holder.get("/key")).status_code == 200
                await manager.patch(path, json={"disabled": True})
                assert told(await holder.get("/key"))[:2] == (401, "This API key is disabled.")
                await manager.patch(path, json={"disabled": False})
                assert (await holder.get("/key")).status_code == 200
                assert (await manager.delete(path)).json() == {"deleted": True}
                assert told(await holder.get("/key"))[:2] == (401, "User not found.")

    with_accounts(tmp_path, test)


def test_lists_leave_out_what_was_not_asked_for(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            hashes = [
                (await manager.post("/keys", json={"name": f"k{number}"})).json()["data"]["hash"] for number in range(3)
            ]
            await manager.patch(f"/keys/{hashes[0]}", json={"disabled": True})

            async def names(**query: Any) -> list[str]:
                return [key["name"] for key in (await manager.get("/keys", params=query)).json()["data"]]

            assert await names() == ["k1", "k2"]
            assert await names(offset=1) == ["k2"]
            assert await names(include_disabled="true") == ["k0", "k1", "k2"]
            assert await names(workspace_id="other") == []
            assert told(await manager.get("/keys", params={"offset": "-1"}))[2] == "offset"
            assert told(await manager.get("/keys", params={"offset": "9" * 30}))[2] == "offset"
            assert told(await manager.get("/keys", params={"include_disabled": "maybe"}))[2] == "include_disabled"

    with_accounts(tmp_path, test)


def test_a_key_is_told_which_budget_stops_it_first(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            made = (await manager.post("/keys", json={"name": "n", "limit": 10})).json()
            key_hash = made["data"]["hash"]
            await manager.put("/workspaces/default/budgets/lifetime", json={"limit_usd": 5})
            guardrail = (
                await manager.post(
                    "/guardrails",
                    json={"name": "g", "limit_usd": 8, "reset_interval": "daily", "ignored_models": ["m/old"]},
                )
            ).json()["data"]["id"]
            await manager.post(f"/guardrails/{guardrail}/assignments/keys", json={"key_hashes": [key_hash]})
            async with accounts.client(made["key"]) as holder:
                own = (await holder.get("/key")).json()["data"]
                assert [each["scope"] for each in own["budgets"]] == ["api_key", "workspace", "key_limit"]
                assert own["effective_budget"]["scope"] == "workspace"
                assert own["ignored_models"] == ["m/old"]
                async with accounts.database.writing() as connection:
                    spent = {Window(f"key:{key_hash}", Interval.LIFETIME, 0): 10_500_000_000}
                    await add(accounts.database, connection, spent)
                own = (await holder.get("/key")).json()["data"]
                assert own["effective_budget"]["scope"] == "key_limit"
                assert (own["limit_remaining"], own["usage"]) == (-0.5, 10.5)

    with_accounts(tmp_path, test)


def test_a_key_of_the_configuration_is_told_about_itself(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client(CALLER) as caller:
            own = (await caller.get("/key")).json()["data"]
            assert (own["label"], own["rates"]["requests_per_min"], own["effective_budget"]) == ("caller", 60, None)
            assert own["is_management_key"] is False
        async with accounts.client() as manager:
            assert (await manager.get("/key")).json()["data"]["is_management_key"] is True

    with_accounts(tmp_path, test)


ROUTES = [
    ("GET", "/keys"),
    ("POST", "/keys"),
    ("GET", "/keys/x"),
    ("PATCH", "/keys/x"),
    ("DELETE", "/keys/x"),
    ("GET", "/workspaces"),
    ("POST", "/workspaces"),
    ("GET", "/workspaces/x"),
    ("PATCH", "/workspaces/x"),
    ("DELETE", "/workspaces/x"),
    ("GET", "/workspaces/x/budgets"),
    ("GET", "/workspaces/x/budgets/daily"),
    ("PUT", "/workspaces/x/budgets/daily"),
    ("DELETE", "/workspaces/x/budgets/daily"),
    ("GET", "/guardrails"),
    ("POST", "/guardrails"),
    ("GET", "/guardrails/x"),
    ("PATCH", "/guardrails/x"),
    ("DELETE", "/guardrails/x"),
    ("GET", "/guardrails/assignments/keys"),
    ("GET", "/guardrails/x/assignments/keys"),
    ("POST", "/guardrails/x/assignments/keys"),
    ("POST", "/guardrails/x/assignments/keys/remove"),
]


def test_every_route_is_for_management_keys_alone(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        open_routes = {"/key", "/auth/key"}  # and presets, which belong to whoever infers
        declared = {
            (method, route.path.removeprefix(BASE))
            for route in accounts.app.routes
            if hasattr(route, "methods")
            and route.path.removeprefix(BASE) not in open_routes
            and "/presets" not in route.path
            for method in route.methods
        }
        assert len(declared) == len(ROUTES)
        for method, path in ROUTES:
            for secret, status in ((None, 401), ("wrong", 401), (CALLER, 403)):
                async with accounts.client(secret) as client:
                    assert told(await client.request(method, path, json={}))[0] == status

    with_accounts(tmp_path, test)


def test_what_is_not_there_is_told_so(tmp_path: Path) -> None:
    bodies = {
        "POST": {"key_hashes": ["a"]},
        "PUT": {"limit_usd": 1},
    }

    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            for method, path in ROUTES:
                if "/x" in path:
                    status, message, _ = told(await manager.request(method, path, json=bodies.get(method, {})))
                    assert (status, message.split()[-2:]) == (404, ["not", "found"])

    with_accounts(tmp_path, test)


def test_without_a_database_every_route_says_what_to_set() -> None:
    async def test() -> None:
        transport = httpx.ASGITransport(app_without_database())
        async with httpx.AsyncClient(transport=transport, base_url=f"http://router{BASE}") as client:
            for method, path in ROUTES:
                status, message, _ = told(await client.request(method, path, json={}))
                assert status == 404
                assert "set `database.url`" in message
            assert (await client.get("/key")).json()["data"]["label"] == "anonymous"

    asyncio.run(test())


def test_while_the_database_is_away_managers_are_told_to_come_back(tmp_path: Path) -> None:
    async def test() -> None:
        (tmp_path / "file").touch()
        async with (
            accounts_app(f"sqlite:///{tmp_path}/file/router.db") as accounts,
            accounts.client() as manager,
        ):
            response = await manager.get("/keys")
            assert told(response)[0] == 503
            assert response.headers["retry-after"] == "5"
            assert str(tmp_path) not in response.text

    asyncio.run(test())
