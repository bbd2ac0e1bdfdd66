"""Whoever has an answer can ask what became of it at once, and gets what engines and the router know."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests import fault_behaviours as faults
from tests.integration.conftest import MODEL, Engine, Router, StartRouter, until

SETTINGS = SimulatorSettings(model="m", gpu="h100", time_scale=0.01, max_model_len=4_096)
TELLING = {
    "HTTP-Referer": "https://app.example/chat?secret",
    "X-Title": "App",
    "User-Agent": "tests/1",
    "X-Session-Id": "s-1",
}


def books(tmp_path: Path) -> dict[str, Any]:
    return {
        "database": {"url": {"value": f"sqlite:///{tmp_path}/router.db"}},
        "ledger": {"spool": {"directory": str(tmp_path / "spool")}},
    }


async def told(router: Router, generation: str) -> dict[str, Any]:
    status, text = await router.get(f"/api/v1/generation?id={generation}")
    assert 200 == status, text
    found: dict[str, Any] = json.loads(text)["data"]
    return found


@pytest.mark.parametrize("has_database", [True, False])
def test_a_generation_can_be_read_before_the_last_byte_is_sent(
    router: StartRouter, tmp_path: Path, has_database: bool
) -> None:
    async def main() -> None:
        configuration = books(tmp_path) if has_database else {}
        async with (
            fleet(SETTINGS, 1, Place()) as behind,
            router(*(each.listener for each in behind.replicas), **configuration) as r,
        ):
            body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8, "user": "u-1"}
            for number in range(10):
                data = json.dumps(body | {"stream": number % 2 == 0})
                async with r.session.post(r.url + "/api/v1/chat/completions", data=data, headers=TELLING) as answer:
                    assert 200 == answer.status
                    generation = answer.headers["X-Generation-Id"]
                    text = await answer.content.readany()
                    while number % 2 == 0 and b"[DONE]" not in text:
                        text += await answer.content.readany()
                    found = await told(r, generation)
                    await answer.read()
                assert (8, found["finish_reason"]) == (
                    found["tokens_completion"], found["native_finish_reason"],
                )  # fmt: skip
                assert ("u-1", "s-1", "App") == (found["external_user"], found["session_id"], found["app_title"])
                assert ("https://app.example/chat", "tests/1") == (found["http_referer"], found["user_agent"])
                assert found["latency"] is not None
                assert found["generation_time"] is not None
                (attempt,) = found["provider_responses"]
                assert ("local", 200) == (attempt["provider_name"], attempt["status"])

    asyncio.run(main())


def test_attempts_that_failed_are_told_too(router: StartRouter) -> None:
    async def main() -> None:
        async with (
            Engine(faults.internal_error) as broken,
            Engine(faults.good_answer) as good,
            router(broken, good) as r,
        ):
            for _ in range(8):
                _, answer = await r.ask({"messages": [{"role": "user", "content": "Hi"}]})
                attempts = (await told(r, answer["id"]))["provider_responses"]
                if len(attempts) == 2:
                    break
            assert [500, 200] == [attempt["status"] for attempt in attempts]

    asyncio.run(main())


def test_engines_say_what_they_are(router: StartRouter) -> None:
    async def main() -> None:
        async with (
            fleet(SETTINGS, 2, Place()) as behind,
            router(*(each.listener for each in behind.replicas)) as r,
        ):

            async def engine() -> dict[str, Any] | None:
                _, text = await r.get(f"/api/v1/models/{MODEL}/endpoints")
                (endpoint,) = json.loads(text)["data"]["endpoints"]
                found: dict[str, Any] | None = endpoint.get("engine") if endpoint["status"] == 0 else None
                return found

            async def is_known() -> bool:
                return await engine() is not None

            await until(is_known)
            found = await engine()
            assert found is not None
            assert ("vllm", 4_096) == (found["name"], found["max_model_len"])
            _, text = await r.get(f"/api/v1/model/{MODEL}")
            assert 4_096 == json.loads(text)["data"]["context_length"]

    asyncio.run(main())
