from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.router.api.accounts_app import AccountsApp
from tests.router.api.test_keys import told, with_accounts


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"limit_usd": 5}, "reset_interval"),
        ({"reset_interval": "daily"}, "reset_interval"),
        ({"limit_usd": -5, "reset_interval": "daily"}, "limit_usd"),
        ({"allowed_models": []}, "allowed_models"),
        ({"content_filters": [{"pattern": "(", "action": "block"}]}, "content_filters[0].pattern"),
        ({"content_filters": [{"pattern": "(?=x)", "action": "block"}]}, "content_filters[0].pattern"),
        ({"content_filters": [{"pattern": "", "action": "block"}]}, "content_filters[0].pattern"),
        ({"content_filters": [{"pattern": "x", "action": "warn"}]}, "content_filters[0].action"),
        ({"content_filters": [{"pattern": "x"}]}, "content_filters[0].action"),
        ({"content_filters": [{"pattern": "x", "action": "flag", "label": "\n"}]}, "content_filters[0].label"),
        ({"content_filters": [{"pattern": "x", "action": "flag", "lable": "x"}]}, "content_filters[0].lable"),
        ({"content_filters": [{"pattern": "x", "action": "flag"}] * 2}, "content_filters[1].pattern"),
        ({"content_filters": [{"pattern": "x", "action": "flag"}] * 65}, "content_filters"),
        ({"content_filter_builtins": [{"slug": "address", "action": "flag"}]}, "content_filter_builtins[0].slug"),
        ({"content_filter_builtins": [{"slug": "email", "action": "flag"}] * 2}, "content_filter_builtins[1].slug"),
        ({"content_filter_builtins": [{"slug": "email"}]}, "content_filter_builtins[0].action"),
        ({"enable_free_model_publication": False}, "enable_free_model_publication"),
        ({"allow_safety_retention_google": False}, "allow_safety_retention_google"),
        ({"allowed_data_regions": ["europe"]}, "allowed_data_regions"),
        ({"enforce_zdr": 1}, "enforce_zdr"),
        ({"workspace_id": "nowhere"}, "workspace_id"),
        ({"unheard_of": None}, "unheard_of"),
    ],
)
def test_what_would_not_be_enforced_is_refused_by_name(tmp_path: Path, body: dict[str, Any], field: str) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            status, message, named = told(await manager.post("/guardrails", json={"name": "g"} | body))
            assert (status, named) == (400, field)
            assert message.startswith(f"{field}: ")

    with_accounts(tmp_path, test)


def test_what_asks_for_nothing_is_let_pass(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            body: dict[str, Any] = {
                "name": "g",
                "allowed_data_regions": [],
                "content_filters": [],
                "enable_free_model_training": None,
            }
            made = await manager.post("/guardrails", json=body)
            assert made.status_code == 201
            assert made.json()["data"]["content_filters"] is None

    with_accounts(tmp_path, test)


def test_filters_come_back_as_they_were_sent_until_they_are_changed(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            own = {"pattern": "sk-[a-z]+", "action": "redact", "label": "[API_KEY]"}
            builtin = {"slug": "email", "action": "block", "label": "[mine]"}
            body = {
                "name": "g",
                "content_filters": [own, {"pattern": "x", "action": "flag"}],
                "content_filter_builtins": [
                    builtin,
                    {"slug": "regex-prompt-injection", "action": "flag", "scan_scope": "user_only"},
                ],
            }
            made = (await manager.post("/guardrails", json=body)).json()["data"]
            assert made["content_filters"] == [own, {"pattern": "x", "action": "flag", "label": None}]
            assert made["content_filter_builtins"] == [
                {"slug": "email", "action": "block", "label": "[EMAIL]", "scan_scope": "all_messages"},
                {
                    "slug": "regex-prompt-injection",
                    "action": "flag",
                    "label": "[PROMPT_INJECTION]",
                    "scan_scope": "user_only",
                },
            ]
            path = f"/guardrails/{made['id']}"
            assert (await manager.get(path)).json()["data"] == made
            # what was shown may be sent back
            again = {name: made[name] for name in ("content_filters", "content_filter_builtins")}
            changed = (await manager.patch(path, json=again)).json()["data"]
            assert changed == made | {"updated_at": changed["updated_at"]}
            changed = (await manager.patch(path, json={"content_filters": None})).json()["data"]
            assert changed["content_filters"] is None
            assert changed["content_filter_builtins"] == made["content_filter_builtins"]

    with_accounts(tmp_path, test)


def test_the_older_switch_stands_for_those_that_are_not_named(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        def shown(answer: httpx.Response) -> list[bool | None]:
            data = answer.json()["data"]
            assert data["enforce_zdr"] is None
            return [data[f"enforce_zdr_{name}"] for name in ("anthropic", "google", "openai", "other", "xai")]

        async with accounts.client() as manager:
            made = await manager.post("/guardrails", json={"name": "g", "enforce_zdr": True, "enforce_zdr_xai": False})
            assert shown(made) == [True, True, True, True, False]
            path = f"/guardrails/{made.json()['data']['id']}"
            changed = await manager.patch(path, json={"enforce_zdr_google": None, "enable_paid_model_training": False})
            assert shown(changed) == [True, None, True, True, False]
            data = changed.json()["data"]
            assert (data["enable_paid_model_training"], data["enable_free_model_training"]) == (False, None)
            assert shown(await manager.patch(path, json={"name": "h"})) == [True, None, True, True, False]

    with_accounts(tmp_path, test)


def test_a_change_leaves_alone_what_it_does_not_name(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            body = {"name": "g", "limit_usd": 5, "reset_interval": "daily", "ignored_providers": ["p"]}
            path = f"/guardrails/{(await manager.post('/guardrails', json=body)).json()['data']['id']}"
            changed = (await manager.patch(path, json={"limit_usd": 6, "description": "d"})).json()["data"]
            assert (changed["limit_usd"], changed["reset_interval"]) == (6, "daily")
            assert (changed["ignored_providers"], changed["description"]) == (["p"], "d")
            assert told(await manager.patch(path, json={"limit_usd": None}))[2] == "reset_interval"
            both = {"limit_usd": None, "reset_interval": None, "include_byok_in_budgets": True}
            changed = (await manager.patch(path, json=both)).json()["data"]
            assert (changed["limit_usd"], changed["reset_interval"]) == (None, None)
            assert changed["include_byok_in_budgets"] is True

    with_accounts(tmp_path, test)


def test_lists_come_in_pages(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            for number in range(3):
                await manager.post("/guardrails", json={"name": f"g{number}"})
            page = (await manager.get("/guardrails", params={"offset": 1, "limit": 1})).json()
            assert ([each["name"] for each in page["data"]], page["total_count"]) == (["g1"], 3)
            assert told(await manager.get("/guardrails", params={"limit": 101}))[2] == "limit"

    with_accounts(tmp_path, test)


def test_an_unknown_key_is_not_assigned(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            guardrail = (await manager.post("/guardrails", json={"name": "g"})).json()["data"]["id"]
            path = f"/guardrails/{guardrail}/assignments/keys"
            assert told(await manager.post(path, json={"key_hashes": ["f" * 64]}))[2] == "key_hashes"
            assert told(await manager.post(path, json={"key_hashes": []}))[2] == "key_hashes"
            assert (await manager.get(path)).json() == {"data": [], "total_count": 0}

    with_accounts(tmp_path, test)
