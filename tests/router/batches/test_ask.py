"""A request of a batch goes through the routes as others do, without a socket."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from router.batches.ask import Answered, AnswerTooLarge, InProcess, Message
from router.batches.callers import Callers
from router.policy.call import Priority
from router.policy.key import Key
from router.protocol.errors import ApiError
from router.store.away import DatabaseAway

ME = Key("config:me", "me", priority=Priority.CRITICAL)


class Route:
    """An ASGI handler that repeats what it was sent, in two pieces."""

    def __init__(self, client: InProcess, retry_after: bytes = b"7") -> None:
        self._client = client
        self._retry_after = retry_after
        self.keys: list[Key] = []

    async def handle(
        self,
        path: str,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self.keys.append(await self._client.authenticate(scope["headers"]))
        body = (await receive())["body"]
        gone = asyncio.create_task(receive())  # type: ignore[arg-type]
        await asyncio.sleep(0)
        assert not gone.done()  # its client stays
        gone.cancel()
        headers = [(b"x-generation-id", b"gen-1"), (b"retry-after", self._retry_after)]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": path.encode() + b":", "more_body": True})
        await send({"type": "http.response.body", "body": body})


def test_an_answer_comes_back_with_its_status_and_what_its_head_says() -> None:
    client = InProcess(1_000)
    route = Route(client)
    client.open(route.handle)
    assert Answered(429, b"/embeddings:{}", "gen-1", 7.0) == asyncio.run(client.ask("/embeddings", b"{}", ME))
    (key,) = route.keys
    assert ("config:me", Priority.BATCH) == (key.id, key.priority)


def test_an_answer_that_is_too_large_is_dropped() -> None:
    client = InProcess(10)
    client.open(Route(client).handle)
    with pytest.raises(AnswerTooLarge):
        asyncio.run(client.ask("/embeddings", b"{}", ME))


def test_when_to_come_back_is_a_number_or_nothing() -> None:
    client = InProcess(1_000)
    client.open(Route(client, b"tomorrow").handle)
    assert asyncio.run(client.ask("/embeddings", b"{}", ME)).retry_after_s is None


def test_nobody_else_is_let_in() -> None:
    client = InProcess(1_000)

    async def handle(path: str, scope: Message, receive: Any, send: Any) -> None:
        with pytest.raises(ApiError):
            await client.authenticate(scope["headers"], management=True)
        raise ConnectionError

    client.open(handle)
    with pytest.raises(ConnectionError):
        asyncio.run(client.ask("/embeddings", b"{}", ME))
    for headers in ([], [(b"x-batch-caller", b"0")]):
        with pytest.raises(ApiError, match="Missing"):
            asyncio.run(client.authenticate(headers))


class Known:
    def __init__(self, *keys: Key, is_away: bool = False) -> None:
        self._keys = {key.id: key for key in keys}
        self._is_away = is_away

    async def find(self, key_id: str) -> Key | None:
        if self._is_away:
            raise DatabaseAway("gone")
        return self._keys.get(key_id)


def find(key_id: str, known: Known) -> Key:
    return asyncio.run(Callers([ME], known, wall_clock=lambda: 100.0).find(key_id))


def test_keys_of_both_kinds_are_found_as_they_are_now() -> None:
    kept = Key("k", "k", expires_at=101.0)
    assert (ME, kept) == (find("config:me", Known()), find("k", Known(kept)))


@pytest.mark.parametrize(
    ("known", "status", "problem"),
    [
        (Known(), 401, "gone"),
        (Known(Key("k", "k", is_management=True)), 401, "gone"),
        (Known(Key("k", "k", is_disabled=True)), 401, "disabled"),
        (Known(Key("k", "k", expires_at=100.0)), 401, "expired"),
        (Known(is_away=True), 503, "at the moment"),
    ],
)
def test_a_key_that_may_not_ask_is_told(known: Known, status: int, problem: str) -> None:
    with pytest.raises(ApiError, match=problem) as caught:
        find("k", known)
    assert status == caught.value.status
