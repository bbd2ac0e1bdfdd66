"""The routes of batches, and those of files, as their clients see them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openai
import pytest
from openrouter import OpenRouter, components

from router.api import batches as batches_api
from router.api import files as files_api
from router.api.auth import Authenticator
from router.policy.key import ANONYMOUS
from tests.router.api.accounts_app import BASE, CALLER, MANAGER, app_without_database
from tests.router.api.batches_app import BatchesApp, batches_app, served
from tests.router.api.test_keys import told
from tests.router.batches.support import CHAT

Test = Callable[[BatchesApp], Awaitable[None]]
BATCH: dict[str, Any] = {
    "endpoint": CHAT,
    "model": "m",
    "requests": [{"custom_id": f"c{number}", "body": {"messages": [], "n": number}} for number in range(3)],
    "provider": {"only": ["local"]},
}
LINE = {"custom_id": "a", "method": "POST", "url": CHAT, "body": {"model": "m", "messages": []}}


def with_batches(tmp_path: Path, test: Test) -> None:
    async def run() -> None:
        async with batches_app(f"sqlite:///{tmp_path}/router.db") as app:
            await test(app)

    asyncio.run(run())


def test_a_batch_is_made_runs_and_has_its_results_in_it(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        async with app.client() as caller:
            made = await caller.post("/batches", json=BATCH)
            batch = made.json()
            assert (202, "validating", 3, None) == (
                made.status_code,
                batch["status"],
                batch["request_counts"]["total"],
                batch["results"],
            )
            assert (0, 0) == (app.room.bytes, app.room.requests)
            await app.work_off()
            ended = (await caller.get(f"/batches/{batch['id']}")).json()
            assert ("completed", 3) == (ended["status"], ended["request_counts"]["completed"])
            assert ["c0", "c1", "c2"] == [each["custom_id"] for each in ended["results"]]
            echoed = ended["results"][1]["response"]["body"]["echo"]
            assert {"messages": [], "n": 1, "model": "m", "provider": {"only": ["local"]}} == echoed
            assert (9, 1.5) == (ended["usage"]["prompt_tokens"], ended["usage"]["cost"])
            listed = (await caller.get("/batches?status=completed&limit=1")).json()
            assert [ended | {"results": None}] == listed["data"]
            assert {"data": [], "object": "list", "first_id": None, "last_id": None, "has_more": False} == (
                await caller.get("/batches?status=failed,expired")
            ).json()
            gone = await caller.delete(f"/batches/{batch['id']}")
            assert {"id": batch["id"], "object": "batch", "deletion": {"openrouter": "deleted"}} == gone.json()
            assert 404 == told(await caller.get(f"/batches/{batch['id']}"))[0]

    with_batches(tmp_path, test)


def test_a_batch_is_cancelled_before_it_is_deleted(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        async with app.client() as caller:
            path = f"/batches/{(await caller.post('/batches', json=BATCH)).json()['id']}"
            assert 409 == told(await caller.delete(path))[0]
            for _ in range(2):
                assert "cancelling" == (await caller.post(f"{path}/cancel")).json()["status"]
            await app.work_off()
            ended = (await caller.get(path)).json()
            assert ("cancelled", ["batch_cancelled"] * 3) == (
                ended["status"],
                [each["error"]["type"] for each in ended["results"]],
            )
            assert 409 == told(await caller.post(f"{path}/cancel"))[0]
            assert 200 == (await caller.delete(path)).status_code

    with_batches(tmp_path, test)


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"endpoint": "/v1/videos"}, 400, "endpoint"),
        ({"callback_url": "https://example.com"}, 400, "callback_url"),
        ({"more": 1}, 400, "more"),
        ({"requests": [{"custom_id": "a"}]}, 400, "requests[0].body"),
        ({"requests": [{"custom_id": "a", "body": {}}] * 2}, 400, "requests[1].custom_id"),
        ({"requests": [{"custom_id": "a", "body": {"stream": True}}]}, 400, "requests[0].body.stream"),
        ({"requests": [{"custom_id": f"{n}", "body": {}} for n in range(51)]}, 400, "requests"),
        ({"requests": None, "input_file_id": "file-none"}, 400, "input_file_id"),
        ({"requests": [{"custom_id": "a", "body": {"x": "y" * 100_000}}]}, 413, None),
    ],
)
def test_what_cannot_be_a_batch_is_told_and_leaves_nothing_behind(
    tmp_path: Path, values: dict[str, Any], status: int, field: str | None
) -> None:
    async def test(app: BatchesApp) -> None:
        async with app.client() as caller:
            assert (status, field) == told(await caller.post("/batches", json=BATCH | values))[::2]
            assert [] == (await caller.get("/batches")).json()["data"]
            assert (0, 0) == (app.room.bytes, app.room.requests)

    with_batches(tmp_path, test)


def test_only_so_many_batches_of_a_workspace_are_under_way(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        async with app.client() as caller:
            made = [await caller.post("/batches", json=BATCH) for _ in range(3)]
            assert [202, 202, 429] == [each.status_code for each in made]
            first = (await caller.get("/batches?limit=1")).json()
            rest = (await caller.get(f"/batches?after={first['last_id']}")).json()
            assert (True, False, 1) == (first["has_more"], rest["has_more"], len(rest["data"]))
            for query in ("after=none", "status=done", "limit=0", "created_after=today"):
                assert 400 == told(await caller.get(f"/batches?{query}"))[0]
            assert 2 == len((await caller.get("/batches?created_after=2020-01-01T00:00:00Z")).json()["data"])
            assert [] == (await caller.get("/batches?created_before=2020-01-01T00:00:00Z")).json()["data"]

    with_batches(tmp_path, test)


def test_a_file_is_sent_listed_shown_got_back_and_deleted(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        content = b'{"a":1}\n{"b":2}\n' * 1_000
        async with app.client() as caller:
            sent = await caller.post("/files", files={"file": ("../../etc/é\n.jsonl", content)})
            file = sent.json()
            assert ("openrouter", "é%0A.jsonl", "application/x-ndjson", 16_000) == tuple(
                file[name] for name in ("_shape", "filename", "mime_type", "size_bytes")
            )
            path = f"/files/{file['id']}"
            assert file == (await caller.get(path)).json()
            listed = (await caller.get("/files")).json()
            assert ([file], None, False) == (listed["data"], listed["cursor"], listed["has_more"])
            assert "anthropic" == (await caller.get(path, headers={"anthropic-version": "x"})).json()["_shape"]
            got = await caller.get(f"{path}/content")
            assert (content, "application/octet-stream", "16000") == (
                got.content,
                got.headers["content-type"],
                got.headers["content-length"],
            )
            assert {"_shape": "openrouter", "id": file["id"], "type": "file_deleted"} == (
                await caller.delete(path)
            ).json()
            for gone in (path, f"{path}/content", "/files/%00", "/files/..%2f..%2fetc"):
                assert 404 == told(await caller.get(gone))[0]

    with_batches(tmp_path, test)


def test_what_cannot_be_a_file_is_told(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        async with app.client() as caller:
            file = {"file": ("a", b"x")}
            for arguments, status in (
                ({"files": {"file": ("a", b"")}}, 400),
                ({"files": {"other": ("a", b"x")}}, 400),
                ({"files": {"purpose": (None, "batch")}}, 400),
                ({"files": file, "data": {"purpose": "none"}}, 400),
                ({"files": file, "data": {"purpose": "p" * 2_000}}, 400),
                ({"files": file, "data": {"expires_after[anchor]": "created_at"}}, 400),
                ({"files": {"file": ("a", b"x" * 200_001)}}, 413),
                ({"content": b"x"}, 400),
                ({"files": file, "params": {"provider": "openai"}}, 400),
                ({"files": file, "params": {"workspace_id": "other"}}, 403),
            ):
                assert status == told(await caller.post("/files", **arguments))[0]  # type: ignore[arg-type]
            for query in ("before_id=x", "order=up", "after=none", "limit=1001"):
                assert 400 == told(await caller.get(f"/files?{query}"))[0]
            assert [] == (await caller.get("/files")).json()["data"]

    with_batches(tmp_path, test)


def test_strangers_and_managers_have_no_batches(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        async with app.client("wrong") as stranger, app.client(MANAGER) as manager:
            for path in ("/files", "/batches", "/files/x", "/batches/x"):
                assert 401 == (await stranger.get(path)).status_code
            assert 401 == (await stranger.post("/files", files={"file": ("a", b"x")})).status_code
            assert 403 == told(await manager.post("/batches", json=BATCH))[0]

    with_batches(tmp_path, test)


def test_openais_client_has_files_and_batches(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        async with served(app) as address, openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=CALLER) as client:
            lines = b"\n".join(msgspec.json.encode(LINE | {"custom_id": f"c{n}"}) for n in range(3))
            file = await client.files.create(file=("in.jsonl", lines), purpose="batch")
            assert ("file", "batch", len(lines)) == (file.object, file.purpose, file.bytes)
            assert [file.id] == [each.id async for each in client.files.list()]
            batch = await client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"a": "b"}
            )
            async with asyncio.timeout(30):
                while (batch := await client.batches.retrieve(batch.id)).status != "completed":  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert batch.request_counts is not None
            assert (3, {"a": "b"}, None) == (batch.request_counts.completed, batch.metadata, batch.error_file_id)
            assert batch.output_file_id is not None
            output = (await client.files.content(batch.output_file_id)).content
            assert ["c0", "c1", "c2"] == [msgspec.json.decode(each)["custom_id"] for each in output.splitlines()]
            assert [batch.id] == [each.id async for each in client.batches.list()]
            assert (await client.files.delete(file.id)).deleted
            with pytest.raises(openai.NotFoundError):
                await client.files.retrieve(file.id)

    with_batches(tmp_path, test)


def test_openrouters_client_has_files_and_batches(tmp_path: Path) -> None:
    async def test(app: BatchesApp) -> None:
        async with (
            served(app) as address,
            OpenRouter(api_key=CALLER, server_url=f"{address}/api/v1") as client,
        ):
            file = await client.files.upload_async(file={"file_name": "a.txt", "content": b"hello"})
            assert isinstance(file, components.OpenRouterFile)
            assert ("a.txt", "text/plain") == (file.filename, file.mime_type)
            requests = [components.Request(custom_id="a", body={"messages": []})]
            batch = await client.batch.create_batches_async(endpoint=CHAT, model="m", requests=requests)
            async with asyncio.timeout(30):
                while (batch := await client.batch.get_batches_async(id=batch.id)).status != "completed":  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert (1, "24h") == (batch.request_counts.completed, batch.completion_window)
            page = await client.batch.list_async()
            assert page is not None
            assert [batch.id] == [each.id for each in page.result.data]
            assert batch.id == (await client.batch.delete_async(id=batch.id)).id

    with_batches(tmp_path, test)


def test_without_a_database_there_is_neither() -> None:
    async def main() -> None:
        app = app_without_database()
        keys = Authenticator({}, anonymous=ANONYMOUS, wall_clock=lambda: 0.0)
        app.include_router(files_api.routes(keys, None), prefix=BASE)
        app.include_router(batches_api.routes(keys, None), prefix=BASE)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://r{BASE}") as client:
            for method, path in (("GET", "/files"), ("POST", "/files"), ("GET", "/batches"), ("POST", "/batches")):
                assert 404 == told(await client.request(method, path))[0]

    asyncio.run(main())
