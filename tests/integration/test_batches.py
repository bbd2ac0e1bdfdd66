"""Batches through a real router: their requests take the way of all others, and are in the ledger like them."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import aiohttp

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.integration.conftest import MODEL, Router, StartRouter, until

SETTINGS = SimulatorSettings(model="m", gpu="h100", time_scale=0.01, max_model_len=4_096)
QUICK = {"batches": {"poll_s": 0.05, "lease_s": 60.0}}


def books(folder: Path) -> dict[str, Any]:
    return {
        "database": {"url": {"value": f"sqlite:///{folder}/router.db"}},
        "ledger": {"spool": {"directory": str(folder / "spool")}},
    }


def request(number: int, **more: Any) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": f"Question {number}"}], "max_tokens": 4, **more}
    return {"custom_id": f"r-{number}", "body": asked}


async def told(router: Router, path: str) -> Any:
    status, text = await router.get(path)
    assert 200 == status, text
    return json.loads(text)


async def submitted(router: Router, body: dict[str, Any]) -> str:
    status, batch = await router.ask(json.dumps(body).encode(), "/api/v1/batches")
    assert 202 == status, batch
    return str(batch["id"])


async def ended(router: Router, batch: str) -> Any:
    async def is_over() -> bool:
        return (await told(router, f"/api/v1/batches/{batch}"))["status"] in ("completed", "failed", "expired")

    await until(is_over)
    return await told(router, f"/api/v1/batches/{batch}")


def test_requests_of_a_batch_are_answered_and_written_down(router: StartRouter, tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            fleet(SETTINGS, 1, Place()) as behind,
            router(behind.replicas[0].listener, **books(tmp_path), **QUICK) as r,
        ):
            asked = [request(1), request(2), request(3, temperature=9)]
            body = {"endpoint": "/v1/chat/completions", "model": MODEL, "requests": asked, "completion_window": "24h"}
            batch = await ended(r, await submitted(r, body))
            assert ("completed", 2, 1) == (
                batch["status"],
                batch["request_counts"]["completed"],
                batch["request_counts"]["failed"],
            )
            by_id = {each["custom_id"]: each for each in batch["results"]}
            for name in ("r-1", "r-2"):
                answer = by_id[name]["response"]
                assert (200, 4) == (answer["status_code"], answer["body"]["usage"]["completion_tokens"])
                row = (await told(r, f"/api/v1/generation?id={answer['body']['id']}"))["data"]
                assert 4 == row["tokens_completion"]
            assert by_id["r-3"]["error"]["message"].startswith("temperature: ")

    asyncio.run(main())


def test_a_file_of_requests_becomes_a_file_of_answers(router: StartRouter, tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            fleet(SETTINGS, 1, Place()) as behind,
            router(behind.replicas[0].listener, **books(tmp_path), **QUICK) as r,
        ):
            lines = [
                {"custom_id": each["custom_id"], "method": "POST", "url": "/v1/chat/completions", "body": each["body"]}
                for each in (request(number, model=MODEL, padding="x" * 40_000) for number in range(60))
            ]
            content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
            form = aiohttp.FormData({"purpose": "batch"})
            form.add_field("file", io.BytesIO(content), filename="requests.jsonl")
            async with r.session.post(r.url + "/v1/files", data=form) as response:
                uploaded = await response.json()
            assert (200, len(content)) == (response.status, uploaded["bytes"])
            async with r.session.get(r.url + f"/v1/files/{uploaded['id']}/content") as response:
                assert content == await response.read()
            body = {"endpoint": "/v1/chat/completions", "input_file_id": uploaded["id"], "completion_window": "24h"}
            batch = await ended(r, await submitted(r, body))
            assert ("completed", 60) == (batch["status"], batch["request_counts"]["completed"])
            async with r.session.get(r.url + f"/v1/files/{batch['output_file_id']}/content") as response:
                answers = [json.loads(line) for line in (await response.read()).splitlines()]
            assert {f"r-{number}" for number in range(60)} == {each["custom_id"] for each in answers}
            assert {200} == {each["response"]["status_code"] for each in answers}

    asyncio.run(main())
