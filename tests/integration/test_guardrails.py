"""Guardrails of a real router with a real database: what engines get, and what callers are told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import fault_behaviours as faults
from tests.integration.conftest import KEY, MODEL, Engine, Router, StartRouter

MANAGER = "sk-or-v1-the-manager"
SECRET = "sk-or-v1-" + "a1" * 32
MAIL = "ada@mail.example.org"
REDACT = {"content_filter_builtins": [{"slug": "email", "action": "redact"}, {"slug": "secrets", "action": "redact"}]}
BLOCK = {"content_filters": [{"pattern": "(?i)project\\s+[x-z]", "action": "block", "label": "PROJECTS"}]}
FLAG = {"content_filters": [{"pattern": "whale", "action": "flag", "label": "WHALES"}]}


def asking(path: str, text: str) -> dict[str, Any]:
    """A request of any API that says it."""
    user = {"role": "user", "content": text}
    bodies: dict[str, dict[str, Any]] = {
        "/chat/completions": {"messages": [user]},
        "/messages": {"messages": [user], "max_tokens": 9},
        "/responses": {"input": text},
        "/completions": {"prompt": text},
        "/embeddings": {"input": [text]},
        "/rerank": {"query": "q", "documents": [text]},
    }
    return bodies[path]


async def call(r: Router, secret: str, path: str, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    named = {"Authorization": f"Bearer {secret}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with r.session.post(r.url + "/api/v1" + path, data=json.dumps(body), headers=named) as response:
        return response.status, await response.json()


@asynccontextmanager
async def guarded(
    router: StartRouter, folder: Path, engine: Engine, *rules: dict[str, Any], **more: Any
) -> AsyncIterator[tuple[Router, str, list[str]]]:
    """A router, the secret of a key that those guardrails hold for, and their ids."""
    configuration = {
        "database": {"url": {"value": f"sqlite:///{folder}/router.db"}},
        "ledger": {"spool": {"directory": str(folder / "spool")}},
        "keys": [
            {"name": "test", "secret": {"value": KEY}},
            {"name": "manager", "secret": {"value": MANAGER}, "management": True},
        ],
        **more,
    }
    async with router(engine, **configuration) as r:
        _, made = await call(r, MANAGER, "/keys", {"name": "held"})
        ids = []
        for number, rule in enumerate(rules):
            status, guardrail = await call(r, MANAGER, "/guardrails", {"name": f"g{number}", **rule})
            assert 201 == status, guardrail
            ids.append(guardrail["data"]["id"])
            assigned = {"key_hashes": [made["data"]["hash"]]}
            assert 200 == (await call(r, MANAGER, f"/guardrails/{ids[-1]}/assignments/keys", assigned))[0]
        yield r, made["key"], ids


@pytest.mark.parametrize("path", ["/chat/completions", "/messages", "/responses", "/completions"])
def test_an_engine_never_sees_what_is_redacted(router: StartRouter, tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, guarded(router, tmp_path, engine, REDACT) as (r, secret, _):
            text = f"Write to {MAIL} that the key is {SECRET}."
            status, answer = await call(r, secret, path, {"model": MODEL, **asking(path, text)})
            assert 200 == status, answer
            sent = engine.requests[-1].body.decode()
            assert "Write to [EMAIL] that the key is [REDACTED]." in sent
            assert MAIL not in sent
            assert SECRET not in sent
            # nor behind so much text that it is looked through in a thread
            status, _ = await call(r, secret, path, {"model": MODEL, **asking(path, "word " * 4_000 + MAIL)})
            assert 200 == status
            assert MAIL not in engine.requests[-1].body.decode()
            # and the rule is of that key alone
            assert 200 == (await call(r, KEY, path, {"model": MODEL, **asking(path, text)}))[0]
            assert MAIL in engine.requests[-1].body.decode()

    asyncio.run(main())


def test_what_is_blocked_is_refused_in_the_words_of_each_api(router: StartRouter, tmp_path: Path) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, guarded(router, tmp_path, engine, BLOCK) as (r, secret, _):
            fields = {
                "/chat/completions": "messages[0].content",
                "/messages": "messages[0].content",
                "/responses": "input",
                "/completions": "prompt",
                "/embeddings": "input[0]",
                "/rerank": "documents[0]",
            }
            for path, field in fields.items():
                status, answer = await call(r, secret, path, {"model": MODEL, **asking(path, "about Project  Y")})
                error = answer["error"]
                assert 403 == status, answer
                assert "Request blocked: it matches content filters (PROJECTS)." in error["message"]
                if path == "/messages":
                    assert ("error", "permission_error") == (answer["type"], error["type"])
                metadata = answer["metadata"] if path == "/messages" else error["metadata"]
                assert (["PROJECTS"], field) == (metadata["patterns"], metadata["field"])
                assert "Project" not in json.dumps(answer).replace("PROJECTS", "")
            ids = {"model": MODEL, "prompt": [1, 2, 3]}
            assert 403 == (await call(r, secret, "/completions", ids))[0]
            assert [] == engine.requests

    asyncio.run(main())


def test_what_is_flagged_is_answered_and_told_with_its_guardrail(router: StartRouter, tmp_path: Path) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, guarded(router, tmp_path, engine, FLAG) as (r, secret, ids):
            for path in ("/chat/completions", "/completions"):
                body = {"model": MODEL, **asking(path, "a whale and a whale")}
                status, answer = await call(r, secret, path, body, X_OpenRouter_Metadata="enabled")
                assert 200 == status
                assert [
                    {
                        "type": "guardrail",
                        "name": "WHALES",
                        "summary": "flag: 2 matches",
                        "guardrail_id": ids[0],
                        "guardrail_scope": "api-key",
                        "cost_usd": 0,
                        "data": {"action": "flag", "matches": 2},
                    }
                ] == answer["openrouter_metadata"]["pipeline"]
                assert "a whale and a whale" in engine.requests[-1].body.decode()

    asyncio.run(main())


def test_a_change_of_a_guardrail_counts_for_the_next_request(router: StartRouter, tmp_path: Path) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, guarded(router, tmp_path, engine, BLOCK) as (r, secret, ids):
            body = {"model": MODEL, **asking("/chat/completions", "project x")}
            assert 403 == (await call(r, secret, "/chat/completions", body))[0]
            url, headers = f"{r.url}/api/v1/guardrails/{ids[0]}", {"Authorization": f"Bearer {MANAGER}"}
            async with r.session.patch(url, json={"content_filters": None}, headers=headers) as response:
                assert 200 == response.status
            assert 200 == (await call(r, secret, "/chat/completions", body))[0]

    asyncio.run(main())


def provided(engine: Engine, **more: Any) -> dict[str, Any]:
    """A configuration with one pool: of a provider that is not ours."""
    section = {"slug": "acme", "url": engine.url + "/v1", "key": {"value": "k"}, "insecure": True, **more}
    pool = {"name": "acme", "provider": "acme", "upstream_model": "theirs", "price": {"prompt": 1.0, "completion": 2.0}}
    return {"providers": [section], "models": [{"id": MODEL, "context_length": 8192, "pools": [pool]}]}


@pytest.mark.parametrize(
    ("rules", "word"),
    [({"enforce_zdr": True}, "data_policy:zdr"), ({"enable_paid_model_training": False}, "data_policy:training")],
)
def test_a_key_is_kept_from_providers_that_do_with_data_what_its_guardrail_forbids(
    router: StartRouter, tmp_path: Path, rules: dict[str, Any], word: str
) -> None:
    async def main() -> None:
        async with (
            Engine(faults.good_answer) as engine,
            guarded(router, tmp_path, engine, rules, **provided(engine)) as (r, secret, _),
        ):
            body = {"model": MODEL, **asking("/chat/completions", "Hello?")}
            status, answer = await call(r, secret, "/chat/completions", body)
            assert 404 == status
            assert word in json.dumps(answer)
            assert [] == engine.requests
            assert 200 == (await call(r, KEY, "/chat/completions", body))[0]

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
def test_a_provider_never_sees_what_is_redacted(router: StartRouter, tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with (
            Engine(faults.good_answer) as engine,
            guarded(router, tmp_path, engine, REDACT, **provided(engine)) as (r, secret, _),
        ):
            for body in (asking(path, f"to {MAIL}"), {"prompt": f"to {MAIL}"}):
                status, answer = await call(r, secret, path, {"model": MODEL, **body})
                assert 200 == status, answer
                sent = engine.requests[-1].body.decode()
                assert "to [EMAIL]" in sent
                assert MAIL not in sent

    asyncio.run(main())
