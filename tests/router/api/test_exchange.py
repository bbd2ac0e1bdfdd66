import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from router.api.exchange import AsgiClient, ClientGone, Message, SkinnedClient, read_body, while_connected
from router.protocol.errors import ApiError


def receiving(*messages: Message) -> Callable[[], Awaitable[Message]]:
    pending = list(messages)

    async def receive() -> Message:
        return pending.pop(0) if pending else await asyncio.Future()

    return receive


def body(*parts: bytes) -> list[Message]:
    return [{"type": "http.request", "body": part, "more_body": i + 1 < len(parts)} for i, part in enumerate(parts)]


def scope(**headers: str) -> dict[str, Any]:
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


class Sent:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])


def take(count: int) -> None:
    """There is room for everything."""


def test_a_body_is_read_in_parts() -> None:
    assert asyncio.run(read_body(scope(), receiving(*body(b"ab", b"c")), 3, take)) == b"abc"


def test_a_body_over_the_limit_is_refused_before_it_is_read_where_its_length_is_told() -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(read_body(scope(content_length="4"), receiving(), 3, take))
    assert (caught.value.status, caught.value.error_type) == (413, "payload_too_large")


def test_a_body_without_a_length_is_refused_at_the_limit() -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(read_body(scope(), receiving(*body(b"ab", b"cd", b"never read")), 3, take))
    assert caught.value.status == 413


def test_what_there_is_no_room_for_is_not_kept() -> None:
    taken: list[int] = []

    def refuse(count: int) -> None:
        taken.append(count)
        if len(taken) == 2:
            raise ApiError("provider_overloaded", "full")

    with pytest.raises(ApiError, match="full"):
        asyncio.run(read_body(scope(), receiving(*body(b"ab", b"cd", b"never read")), 9, refuse))
    assert [2, 2] == taken


def test_a_client_that_leaves_while_it_sends_is_gone() -> None:
    with pytest.raises(ClientGone):
        asyncio.run(read_body(scope(), receiving(*body(b"a", b"b")[:1], {"type": "http.disconnect"}), 3, take))


def test_an_error_names_the_generation_and_when_to_come_back() -> None:
    sent = Sent()
    asyncio.run(AsgiClient(sent, "gen-1").fail(ApiError("provider_overloaded", "busy", retry_after_s=2.4)))
    assert sent.messages[0]["status"] == 503
    assert (sent.headers[b"x-generation-id"], sent.headers[b"retry-after"]) == (b"gen-1", b"3")


def test_a_refused_body_is_read_on_for_a_moment_and_then_the_connection_is_closed() -> None:
    sent = Sent()
    rest = body(b"still", b"coming")
    asyncio.run(AsgiClient(sent, "gen-1").fail(ApiError("payload_too_large", "too large"), receiving(*rest)))
    assert sent.headers[b"connection"] == b"close"
    assert [message.get("more_body") for message in sent.messages] == [None, True, False]


def test_work_is_cancelled_when_the_client_leaves() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Future()
        finally:
            ended.append("given back")

    with pytest.raises(ClientGone):
        asyncio.run(while_connected(receiving({"type": "http.disconnect"}), AsgiClient(Sent(), "gen-1"), work()))
    assert ended == ["given back"]


def test_the_end_of_the_answer_is_not_taken_for_a_client_that_left() -> None:
    client = AsgiClient(Sent(), "gen-1")
    finished = asyncio.Event()

    async def receive() -> Message:
        await finished.wait()
        return {"type": "http.disconnect"}

    async def work() -> None:
        await client.start(stream=False, length=2)
        await client.write(b"ok", more=False)
        finished.set()
        for _ in range(10):
            await asyncio.sleep(0)

    asyncio.run(while_connected(receive, client, work()))


def test_a_cancellation_from_outside_stays_one() -> None:
    async def cancelled() -> None:
        task = asyncio.ensure_future(while_connected(receiving(), AsgiClient(Sent(), "gen-1"), asyncio.sleep(3600)))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


class Loud:
    """A skin that shouts, and keeps back what is not a whole line."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> bytes:
        whole, newline, self._kept = (self._kept + data).rpartition(b"\n")
        return (whole + newline).upper()

    def whole(self, body: bytes) -> bytes:
        return body.upper() + b"!"


def dressed() -> tuple[Sent, AsgiClient, SkinnedClient]:
    sent = Sent()
    client = AsgiClient(sent, "gen-1")
    return sent, client, SkinnedClient(client, Loud())


def test_a_skin_rewrites_a_stream_and_may_keep_some_of_it_back() -> None:
    async def answer() -> list[bytes]:
        sent, client, skinned = dressed()
        await skinned.start(stream=True, length=None)
        for piece in (b"a", b"b\nc", b"\n"):
            await skinned.write(piece, more=True)
        await skinned.write(b"", more=False)
        assert client.is_complete
        return [message["body"] for message in sent.messages[1:]]

    assert [b"AB\n", b"C\n", b""] == asyncio.run(answer())


def test_a_whole_answer_has_the_length_that_the_skin_gave_it() -> None:
    async def answer() -> Sent:
        sent, _, skinned = dressed()
        await skinned.start(stream=False, length=2)
        await skinned.write(b"ab", more=False)
        return sent

    sent = asyncio.run(answer())
    assert (b"3", b"AB!") == (sent.headers[b"content-length"], sent.messages[1]["body"])


def test_an_error_is_told_in_the_words_of_the_api_that_was_asked() -> None:
    async def answer() -> Sent:
        sent = Sent()
        await AsgiClient(sent, "gen-1", lambda error, known_as: f"{known_as}: {error.message}".encode()).fail(
            ApiError("not_found", "gone")
        )
        return sent

    sent = asyncio.run(answer())
    assert (404, b"gen-1: gone") == (sent.messages[0]["status"], sent.messages[1]["body"])
