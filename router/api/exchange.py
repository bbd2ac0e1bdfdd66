"""One HTTP exchange on plain ASGI: read the body within its limit, answer, notice when the client leaves.

The inference routes use this and no web framework, because dependency injection and response classes would cost more
than all the rest of a request (docs/decisions/0002-http-client-and-server.md).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

from router.protocol.errors import ApiError, render
from router.protocol.skin import RenderError, Skin

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

LINGER_S = 1.0  # for a client to notice that it was refused; those that do not are cut off
LINGER_BYTES = 67_108_864  # 64 MiB, read and dropped: what a fast client sends before it notices


class ClientGone(Exception):
    """The client closed the connection before its answer was complete."""


async def read_body(scope: Scope, receive: Receive, limit: int, take: Callable[[int], None]) -> bytes:
    """The whole request body, at most `limit` bytes, of which never more is held.

    `take` is told of each piece before it is kept, and may refuse it.

    Raises ApiError 413 as soon as the length is known to be too large, and ClientGone.
    """
    declared = declared_length(scope)
    if declared is not None and declared > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        take(len(part))
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def declared_length(scope: Scope) -> int | None:
    """Bytes of the body, as the client says before it sends them; None: it does not say."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(declared) if declared.isdigit() else None


async def _discard(receive: Receive) -> None:
    """Read on for a moment: closing on a client that still sends would reset the answer away before it is read."""
    left = LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while left > 0 and (message := await receive()).get("more_body", False):
                left -= len(message.get("body", b""))


def _too_large(limit: int) -> ApiError:
    return ApiError(
        "payload_too_large",
        f"The request body is larger than {limit} bytes (limits.body_bytes).",
        metadata={"limit_bytes": limit},
    )


class AsgiClient:
    """The gateway's `Client` on ASGI's `send`."""

    def __init__(self, send: Send, generation_id: str, render_error: RenderError = render) -> None:
        self._send = send
        self._render_error = render_error
        self.generation_id = generation_id
        self._generation_id = generation_id.encode()
        self.headers: Headers = ()  # beside those of every answer
        self.has_started = False
        self.is_complete = False

    async def start(self, *, stream: bool, length: int | None) -> None:
        headers = [(b"x-generation-id", self._generation_id), *self.headers]
        if stream:
            headers += [
                (b"content-type", b"text/event-stream"),
                (b"cache-control", b"no-cache"),
                (b"x-accel-buffering", b"no"),  # nginx would hold tokens back
            ]
        else:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % (length or 0))]
        self.has_started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write(self, data: bytes, *, more: bool) -> None:
        self.is_complete = not more
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def fail(self, error: ApiError, unread: Receive | None = None) -> None:
        """Answer with an error, as long as nothing was sent. `unread`: where the rest of a refused body comes from."""
        body = self._render_error(error, self.generation_id)
        headers = [
            (b"x-generation-id", self._generation_id),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *(error.headers or self.headers),
        ]
        if error.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after_s))))
        if unread is not None:
            headers.append((b"connection", b"close"))
        self.has_started = self.is_complete = True
        await self._send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": unread is not None})
        if unread is not None:
            await _discard(unread)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class SkinnedClient:
    """The gateway's `Client` for an answer that a skin rewrites on its way to `client`."""

    def __init__(self, client: AsgiClient, skin: Skin) -> None:
        self._client = client
        self._skin = skin
        self._is_stream = False

    async def start(self, *, stream: bool, length: int | None) -> None:
        self._is_stream = stream
        if stream:
            await self._client.start(stream=True, length=None)

    async def write(self, data: bytes, *, more: bool) -> None:
        if self._is_stream:
            rewritten = self._skin.feed(data)
            if rewritten or not more:
                await self._client.write(rewritten, more=more)
            return
        body = self._skin.whole(data)
        await self._client.start(stream=False, length=len(body))
        await self._client.write(body, more=False)


async def while_connected(receive: Receive, client: AsgiClient, work: Coroutine[Any, Any, None]) -> None:
    """Run `work`; cancel it as soon as the client leaves. Raises ClientGone then."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    assert task is not None
    has_left = False

    def on_message(watch: "asyncio.Task[None]") -> None:
        nonlocal has_left
        if not watch.cancelled() and not client.is_complete:
            has_left = True
            task.cancel()

    watch = loop.create_task(_until_disconnect(receive))
    watch.add_done_callback(on_message)
    try:
        await work
    except asyncio.CancelledError:
        if not has_left:
            raise
        task.uncancel()
        raise ClientGone from None
    finally:
        watch.remove_done_callback(on_message)
        watch.cancel()


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
