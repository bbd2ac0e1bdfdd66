"""Usage and credits, to managers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.policy.key import Interval
from router.store.ledger import LedgerStore
from router.store.rule_records import NewWorkspace
from tests.router.api.information_app import (
    BASE,
    CALLER,
    MANAGER,
    NOW,
    InformationApp,
    app_without_database,
    information_app,
)
from tests.router.openrouter import assert_valid_answer
from tests.router.store.support import entry

Test = Callable[[InformationApp], Awaitable[None]]
SERVED = {"model": "a/eyes", "pool": "eyes-local", "provider": "local"}
TOKENS = {"prompt_tokens": 10, "completion_tokens": 5, "reasoning_tokens": 2, "cached_tokens": 4}


def with_app(tmp_path: Path, test: Test, clock: float = NOW) -> None:
    async def run() -> None:
        async with information_app(f"sqlite:///{tmp_path}/router.db", clock=clock) as information:
            await test(information)

    asyncio.run(run())


async def get(app: InformationApp, path: str, secret: str | None = MANAGER, status: int = 200) -> Any:
    async with app.client(secret) as client:
        answer = await client.get(path)
    assert status == answer.status_code, answer.text
    return answer.json()


def test_a_day_of_a_model_is_one_row(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        rows = [entry(number, created=NOW - 3_600 * number, **SERVED, **TOKENS) for number in (1, 2)]
        await LedgerStore(app.database).write(rows)
        answer = await get(app, "/activity")
        assert_valid_answer("/activity", answer)
        assert answer["data"] == [
            {
                "date": "2026-11-25",
                "model": "a/eyes",
                "model_permaslug": "a/eyes",
                "endpoint_id": "eyes-local",
                "provider_name": "local",
                "usage": 0.002,
                "byok_usage_inference": 0.0,
                "requests": 2,
                "prompt_tokens": 20,
                "completion_tokens": 10,
                "reasoning_tokens": 4,
                "cached_tokens": 8,
            }
        ]

    with_app(tmp_path, test, NOW + 60)


def test_what_is_asked_for_is_what_is_shown(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        assert app.desk.accounts is not None
        team = await app.desk.accounts.workspaces.create(NewWorkspace("team", "Team"))
        await LedgerStore(app.database).write(
            [
                entry(1, created=NOW - 10, workspace=team.id, key="config:caller", **SERVED),
                entry(2, created=NOW - 86_410, **SERVED),
            ]
        )
        for query, days in (
            ("", ["2026-11-25", "2026-11-24"]),
            ("date=2026-11-24", ["2026-11-24"]),
            ("date=2026-10-27", []),
            ("api_key_hash=config:caller", ["2026-11-25"]),
            ("api_key_hash=nobody", []),
            ("user_id=nobody", []),
            ("workspace_id=team", ["2026-11-25"]),
            (f"workspace_id={team.id}&date=", ["2026-11-25"]),
        ):
            assert days == [row["date"] for row in (await get(app, f"/activity?{query}"))["data"]]
        by_workspace = (await get(app, "/activity?group_by=workspace"))["data"]
        assert [team.id, "default"] == [row["workspace_id"] for row in by_workspace]
        assert "workspace_id" not in (await get(app, "/activity"))["data"][0]

    with_app(tmp_path, test)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("date=2026-11-26", "date"),  # today is not over
        ("date=2026-10-26", "date"),
        ("date=yesterday", "date"),
        ("date=2026-11-2", "date"),
        ("date=2026-11-25T00", "date"),
        ("date=2026-13-01", "date"),
        ("group_by=model", "group_by"),
    ],
)
def test_a_wrong_parameter_is_named(tmp_path: Path, query: str, field: str) -> None:
    async def test(app: InformationApp) -> None:
        error = (await get(app, f"/activity?{query}", status=400))["error"]
        assert field == error["metadata"]["field"]

    with_app(tmp_path, test)


def test_a_workspace_that_is_not_there_is_404(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        for name in ("nothing", "%00"):
            await get(app, f"/activity?workspace_id={name}", status=404)

    with_app(tmp_path, test)


def test_credits_are_what_was_granted_and_what_was_spent(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        await LedgerStore(app.database).write([entry(1, cost=2_000_000_000)])
        answer = await get(app, "/credits")
        assert_valid_answer("/credits", answer)
        assert {"total_credits": 2.0, "total_usage": 2.0} == answer["data"]
        assert app.desk.accounts is not None
        await app.desk.accounts.budgets.put("default", Interval.LIFETIME, 5_000_000_000)
        assert {"total_credits": 5.0, "total_usage": 2.0} == (await get(app, "/credits"))["data"]

    with_app(tmp_path, test)


def test_only_managers_are_told(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        for path in ("/activity", "/credits"):
            await get(app, path, CALLER, status=403)

    with_app(tmp_path, test)


def test_a_router_without_a_database_says_what_to_set() -> None:
    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app_without_database())) as client:
            for path in ("/activity", "/credits"):
                answer = await client.get(f"http://router{BASE}{path}")
                assert 404 == answer.status_code
                assert "database.url" in answer.json()["error"]["message"]

    asyncio.run(run())


def test_a_keys_own_answer_has_the_shape_of_the_document(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        newer = ("allowed_data_regions", "budgets", "effective_budget", "free_model_daily_requests", "organization_id")
        for path, secret in (("/key", CALLER), ("/key", MANAGER), ("/auth/key", CALLER)):
            answer = await get(app, path, secret)
            assert_valid_answer("/key", answer)
            assert {*newer, "workspace_id"} <= answer["data"].keys()

    with_app(tmp_path, test)
