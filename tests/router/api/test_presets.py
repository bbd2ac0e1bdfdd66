"""The routes of presets."""

from pathlib import Path
from typing import Any

import pytest

from tests.router.api.accounts_app import CALLER, AccountsApp
from tests.router.api.test_keys import told, with_accounts

CHAT: dict[str, Any] = {
    "model": "m/eyes",
    "temperature": 0.5,
    "stream": True,
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
}


def test_a_preset_is_made_from_a_request_changed_and_shown(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client(CALLER) as caller:
            made = (await caller.post("/presets/short/chat/completions", json=CHAT)).json()["data"]
            assert ("short", "active", "config:caller") == (made["slug"], made["status"], made["creator_user_id"])
            version = made["designated_version"]
            assert ({"model": "m/eyes", "temperature": 0.5}, "Be brief.", 1) == tuple(
                version[name] for name in ("config", "system_prompt", "version")
            )
            assert made["designated_version_id"] == version["id"]
            body = {"model": "m/eyes", "input": "hello", "max_output_tokens": 9}
            again = (await caller.post("/presets/short/responses", json=body)).json()["data"]
            assert (made["id"], 2) == (again["id"], again["designated_version"]["version"])
            assert {"model": "m/eyes", "max_tokens": 9} == again["designated_version"]["config"]
            assert {"data": again} == (await caller.get("/presets/short")).json()
            listed = (await caller.get("/presets")).json()
            assert ([again["id"]], 1) == ([each["id"] for each in listed["data"]], listed["total_count"])
            versions = (await caller.get("/presets/short/versions")).json()
            assert ([version, again["designated_version"]], 2) == (versions["data"], versions["total_count"])
            assert {"data": version} == (await caller.get("/presets/short/versions/1")).json()

    with_accounts(tmp_path, test)


def test_who_manages_sees_the_presets_of_its_workspace_too(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client() as manager:
            assert {"data": [], "total_count": 0} == (await manager.get("/presets")).json()
            message = {"model": "m", "max_tokens": 3, "system": "s", "messages": []}
            made = (await manager.post("/presets/p/messages", json=message)).json()["data"]
            assert ("s", {"model": "m", "max_tokens": 3}) == (
                made["designated_version"]["system_prompt"],
                made["designated_version"]["config"],
            )

    with_accounts(tmp_path, test)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/presets/none", None, 404),
        ("GET", "/presets/none/versions", None, 404),
        ("GET", "/presets/short/versions/2", None, 404),
        ("GET", "/presets/short/versions/0", None, 404),
        ("GET", "/presets/short/versions/one", None, 400),
        ("GET", "/presets?limit=101", None, 400),
        ("GET", "/presets?offset=-1", None, 400),
        ("POST", "/presets/short/embeddings", CHAT, 404),
        ("POST", "/presets/a b/chat/completions", CHAT, 400),
        ("POST", "/presets/short/chat/completions", [], 400),
        ("POST", "/presets/short/chat/completions", CHAT | {"stop": "a" * 70_000}, 400),
        ("POST", "/presets/short/chat/completions", CHAT | {"stop": "a" * 210_000}, 413),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, method: str, path: str, body: Any, status: int) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client(CALLER) as caller:
            await caller.post("/presets/short/chat/completions", json=CHAT)
            assert status == told(await caller.request(method, path, json=body))[0]

    with_accounts(tmp_path, test)


def test_nobody_without_a_key_gets_at_presets(tmp_path: Path) -> None:
    async def test(accounts: AccountsApp) -> None:
        async with accounts.client("wrong") as stranger:
            for method, path in (("GET", "/presets"), ("POST", "/presets/p/chat/completions")):
                assert 401 == (await stranger.request(method, path, json=CHAT)).status_code

    with_accounts(tmp_path, test)
