"""The routes of stored responses, and how requests that go on from one are read."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI

from router.api import errors
from router.api import responses as responses_api
from router.api.auth import Authenticator
from router.api.conversations import Conversations
from router.api.inference import ROUTES
from router.api.reader import Read, Reader
from router.api.room import Place, Room, RoomSettings
from router.policy.call import Caller
from router.policy.key import ANONYMOUS, Key
from router.policy.length import Lengths
from router.policy.schema_quota import SchemaQuota, SchemaQuotaSettings
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Unfetched
from router.protocol.plugins.builtin_filters import read_builtin
from router.protocol.plugins.guardrail_filters import to_text
from router.protocol.request import no_context
from router.protocol.responses.memory import Remembered
from router.store.away import DatabaseAway
from router.store.database import open_database
from router.store.kept_responses import KeptResponses
from router.store.response_records import ResponseRecord
from router.store.responses import ResponseStore
from router.store.responses_settings import ResponsesSettings

BASE = "/api/v1"
KEY, OTHER, STRANGER = Key("k", "k"), Key("o", "o"), Key("s", "s", workspace="elsewhere")
KEYS = {"sk-k": KEY, "sk-o": OTHER, "sk-s": STRANGER}
NOW = 1_795_651_200.0
ITEMS = [{"role": "user", "content": f"{number}"} for number in range(5)]
OUTPUT = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": []}
RESPONSE = {"id": "resp_1", "object": "response", "output": [OUTPUT]}
ANSWER = Remembered(
    "resp_1",
    int(NOW),
    "m",
    "completed",
    json.dumps(ITEMS).encode(),
    json.dumps(RESPONSE, separators=(",", ":")).encode(),
)
CHAT = {
    "id": "gen-2",
    "model": "m",
    "created": 1,
    "choices": [{"message": {"content": "Hi!"}, "finish_reason": "stop"}],
}


class Away:
    """A database that is never there."""

    async def write(self, records: Sequence[ResponseRecord]) -> None:
        raise DatabaseAway("away")

    async def get(self, workspace: str, response: str) -> Remembered | None:
        raise DatabaseAway("away")

    async def delete(self, workspace: str, response: str) -> bool:
        raise DatabaseAway("away")

    async def expire(self, most: int) -> int:
        raise DatabaseAway("away")

    async def crowded(self, most: int) -> Sequence[str]:
        raise DatabaseAway("away")

    async def trim(self, workspace: str, keep: int, most: int) -> int:
        raise DatabaseAway("away")


def app_of(kept: KeptResponses | None) -> FastAPI:
    app = FastAPI(openapi_url=None)
    errors.install(app)
    keys = Authenticator(KEYS, anonymous=ANONYMOUS, wall_clock=lambda: NOW)
    app.include_router(responses_api.routes(keys, kept), prefix=BASE)
    return app


def client_of(app: FastAPI, secret: str | None = "sk-k") -> httpx.AsyncClient:
    headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://router{BASE}", headers=headers)


def with_kept(tmp_path: Path, test: Callable[[KeptResponses], Awaitable[None]]) -> None:
    """Where one answer is kept."""

    async def run() -> None:
        async with open_database(f"sqlite:///{tmp_path}/router.db") as database:
            store = ResponseStore(database, lambda: NOW)
            kept = KeptResponses(store, ResponsesSettings(store=True), wall_clock=lambda: NOW)
            assert kept.keep(KEY, ANSWER)
            await test(kept)

    asyncio.run(run())


def away() -> KeptResponses:
    return KeptResponses(Away(), ResponsesSettings(store=True), wall_clock=lambda: NOW)


def told(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["message"]


def test_openais_client_gets_lists_and_deletes_what_was_kept(tmp_path: Path) -> None:
    async def test(kept: KeptResponses) -> None:
        transport: Any = httpx.AsyncClient(transport=httpx.ASGITransport(app_of(kept)))
        async with openai.AsyncOpenAI(
            base_url=f"http://router{BASE}", api_key="sk-o", http_client=transport, max_retries=0
        ) as client:
            assert "resp_1" == (await client.responses.retrieve("resp_1")).id
            pages = client.responses.input_items.list("resp_1", limit=2, order="asc")
            listed = [item.to_dict() async for item in pages]
            assert [f"item_1_{number}" for number in range(5)] == [item["id"] for item in listed]
            assert [[{"type": "input_text", "text": "0"}]] == [listed[0]["content"]]
            newest = await client.responses.input_items.list("resp_1", limit=2)
            assert (["item_1_4", "item_1_3"], True) == ([item.id for item in newest.data], newest.has_more)
            await client.responses.delete("resp_1")
            for call in (client.responses.retrieve, client.responses.delete):
                with pytest.raises(openai.NotFoundError, match="Response with id 'resp_1' not found"):
                    await call("resp_1")

    with_kept(tmp_path, test)


def test_nobody_else_sees_it(tmp_path: Path) -> None:
    async def test(kept: KeptResponses) -> None:
        for secret in ("sk-s", None):
            async with client_of(app_of(kept), secret) as client:
                for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items")):
                    answer = await client.request(method, f"/responses/resp_1{path}")
                    assert (404, "Response with id 'resp_1' not found.") == told(answer)
        async with client_of(app_of(kept), "sk-nobody") as client:
            assert 401 == (await client.get("/responses/resp_1")).status_code
        assert await kept.find("default", "resp_1") is not None

    with_kept(tmp_path, test)


def test_what_is_asked_wrongly_is_named(tmp_path: Path) -> None:
    async def test(kept: KeptResponses) -> None:
        async with client_of(app_of(kept)) as client:
            for query, field in (
                ("?stream=true", "stream"),
                ("/input_items?limit=0", "limit"),
                ("/input_items?order=up", "order"),
                ("/input_items?after=item_2", "after"),
            ):
                status, message = told(await client.get(f"/responses/resp_1{query}"))
                assert (400, True) == (status, message.startswith(f"{field}: "))
            assert RESPONSE == (await client.get("/responses/resp_1")).json()
            last = (await client.get("/responses/resp_1/input_items?after=item_1_0")).json()
            assert ([], None, None, False) == (last["data"], last["first_id"], last["last_id"], last["has_more"])

    with_kept(tmp_path, test)


def test_a_router_that_keeps_nothing_says_so() -> None:
    async def run() -> None:
        async with client_of(app_of(None)) as client:
            status, message = told(await client.get("/responses/resp_1"))
            assert (404, True) == (status, "responses.store" in message)
        async with client_of(app_of(away())) as client:
            assert 503 == (await client.get("/responses/resp_1")).status_code

    asyncio.run(run())


async def nothing(unfetched: Unfetched) -> Fetched:
    raise AssertionError


def reading(kept: KeptResponses | None) -> Conversations:
    reader = Reader(
        limits=Limits(),
        lengths=Lengths(),
        seeds={},
        context_of=no_context,
        schemas=SchemaQuota(SchemaQuotaSettings()),
        fetch=nothing,
        presets=None,
        keeps_source=False,
        clock=lambda: 0.0,
    )
    return Conversations(reader, kept)


async def read(conversations: Conversations, key: Key = KEY, path: str = "/responses", **fields: Any) -> Read:
    body = json.dumps({"model": "m", **fields}).encode()
    place: Place = Room(RoomSettings()).enter()
    try:
        return await conversations.read(ROUTES[path], body, key, Caller(key.id), place)
    finally:
        place.leave()


async def refused(conversations: Conversations, key: Key = KEY, **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        await read(conversations, key, **fields)
    return error.value


def test_a_request_goes_on_from_an_answer_of_its_workspace(tmp_path: Path) -> None:
    async def test(kept: KeptResponses) -> None:
        conversations = reading(kept)
        assert conversations.limits == Limits()
        found = await read(conversations, OTHER, input="5", previous_response_id="resp_1", store=True)
        assert found.request.skin is not None
        found.request.skin.whole(json.dumps(CHAT).encode())
        second = await kept.find("default", "resp_2")
        assert second is not None
        assert "resp_1" == second.previous
        assert [*ITEMS, OUTPUT, {"type": "message", "role": "user", "content": "5"}] == json.loads(second.input)

    with_kept(tmp_path, test)


def test_an_id_that_stands_for_nothing_is_named(tmp_path: Path) -> None:
    async def test(kept: KeptResponses) -> None:
        conversations = reading(kept)
        for key, name in ((KEY, "resp_9"), (STRANGER, "resp_1"), (KEY, "\0")):
            error = await refused(conversations, key, input="5", previous_response_id=name)
            assert (404, "previous_response_id") == (error.status, error.field)
            assert f"Previous response with id '{name}' not found." == error.message
        error = await refused(reading(away()), input="5", previous_response_id="resp_1")
        assert (503, "previous_response_id") == (error.status, error.field)

    with_kept(tmp_path, test)


def test_where_nothing_is_kept_who_asks_is_refused(tmp_path: Path) -> None:
    async def test(kept: KeptResponses) -> None:
        for conversations, key in ((reading(None), KEY), (reading(kept), ANONYMOUS)):
            for fields in ({"store": True}, {"previous_response_id": "resp_1"}):
                error = await refused(conversations, key, input="5", **fields)
                assert (400, True) == (error.status, "nothing is stored here" in error.message)
        messages = [{"role": "user", "content": "a"}]
        assert (await read(reading(kept), path="/chat/completions", messages=messages)).request.skin is None

    with_kept(tmp_path, test)


def test_nothing_is_kept_of_what_a_guardrail_may_redact(tmp_path: Path) -> None:
    async def test(kept: KeptResponses) -> None:
        email = to_text(read_builtin({"slug": "email", "action": "redact"}, "f"))
        found = await read(reading(kept), replace(KEY, filters=(email,)), input="5", store=True)
        assert found.request.skin is not None
        assert json.loads(found.request.skin.whole(json.dumps(CHAT).encode()))["store"] is False
        assert await kept.find("default", "resp_2") is None

    with_kept(tmp_path, test)
