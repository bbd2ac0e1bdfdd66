"""A request of a batch takes the way of every other: through the inference routes, but without a socket.

`InProcess` is two things at once: the client that calls an ASGI handler and keeps its answer, and the authenticator of
that handler, which knows the caller because this client does. So keys, quotas, budgets, guardrails, the ledger and the
fair queue apply as they do to anybody; only the secret is not needed, which nobody has any more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, TypeAlias

from router.policy.call import Priority
from router.policy.key import Key
from router.protocol.errors import ApiError

Message: TypeAlias = MutableMapping[str, Any]
Handle: TypeAlias = Callable[
    [str, Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
_CALLER = b"x-batch-caller"  # read by nobody but the authenticator below, in a scope that no socket made


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one attempt."""

    status: int  # HTTP
    body: bytes
    request_id: str | None = None
    retry_after_s: float | None = None


Ask: TypeAlias = Callable[[str, bytes, Key], Awaitable[Answered]]


class AnswerTooLarge(Exception):
    """It was dropped while it came."""


class InProcess:
    """One per router. Its `authenticate` is for the handler that it is opened with, and for no other."""

    def __init__(self, answer_bytes: int) -> None:
        """`answer_bytes`: the most of one answer that is kept."""
        self._answer_bytes = answer_bytes
        self._handle: Handle | None = None
        self._callers: dict[bytes, Key] = {}
        self._numbers = count()

    def open(self, handle: Handle) -> None:
        """`handle`: serves a path such as `/chat/completions`."""
        self._handle = handle

    async def authenticate(self, headers: Iterable[tuple[bytes, bytes]], *, management: bool = False) -> Key:
        """Who asks. Raises ApiError 401: it was not `ask`, or it is about something else than inference."""
        name = next((value for name, value in headers if name == _CALLER), b"")
        key = self._callers.get(name)
        if key is None or management:
            raise ApiError("authentication", "Missing Authentication header")
        return key

    async def ask(self, path: str, body: bytes, key: Key) -> Answered:
        """One request of `key`, as urgent as batches are.

        Raises:
            AnswerTooLarge: as its name says.
        """
        assert self._handle is not None
        name = b"%d" % next(self._numbers)
        self._callers[name] = replace(key, priority=Priority.BATCH)
        scope: Message = {
            "type": "http",
            "method": "POST",
            "http_version": "1.1",
            "scheme": "http",
            "path": f"/api/v1{path}",
            "raw_path": f"/api/v1{path}".encode(),
            "query_string": b"",
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                (_CALLER, name),
            ],
            "client": None,
            "server": None,
            "state": {},
        }
        exchange = _Exchange(body, self._answer_bytes)
        try:
            await self._handle(path, scope, exchange.receive, exchange.send)
        finally:
            del self._callers[name]
        return exchange.answered()


class _Exchange:
    """The two ends of one call: a client that stays until it has the whole answer."""

    def __init__(self, body: bytes, most: int) -> None:
        self._body: bytes | None = body
        self._most = most
        self._status = 500
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._size = 0

    async def receive(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            await asyncio.Event().wait()  # until the handler has no more interest
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = dict(message["headers"])
            return
        part = message.get("body", b"")
        self._size += len(part)
        if self._size <= self._most:
            self._parts.append(part)
        else:
            self._parts.clear()

    def answered(self) -> Answered:
        if self._size > self._most:
            raise AnswerTooLarge
        request_id = self._headers.get(b"x-generation-id")
        return Answered(
            self._status,
            b"".join(self._parts),
            None if request_id is None else request_id.decode("latin-1"),
            _seconds(self._headers.get(b"retry-after", b"")),
        )


def _seconds(value: bytes) -> float | None:
    with suppress(ValueError):
        return max(0.0, float(value))
    return None
