"""Which port serves what. Pure, but for the one answer it gives itself.

Every path has exactly one purpose, and what is not named here is for administrators: a route that somebody adds and
forgets to name is closed on the port that faces the world, not open.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum
from typing import Any

from router.protocol.errors import ApiError, render

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


class Purpose(Enum):
    DATA = "data"  # inference, the catalogue, and what a caller may know of himself
    METRICS = "metrics"  # what an orchestrator and Prometheus ask
    ADMIN = "admin"  # everything else


ALL = frozenset(Purpose)
READY = "/readyz"
DOCUMENT = "/openapi.json"
METRICS_PATHS = frozenset(("/metrics", "/healthz", READY))
API_BASES = ("/api/v1/", "/v1/", "/api/beta/")
# The first segment below an API base: each is a route with all that is below it. `key` and `credits` are the caller's.
DATA_ROUTES = frozenset(
    ("chat", "completions", "responses", "messages", "embeddings", "rerank", "models", "model", "parameters",
     "endpoints", "providers", "generation", "key", "auth", "credits", "presets", "files", "batches", "openapi.json")
)  # fmt: skip


def purpose_of(path: str) -> Purpose:
    """What a decoded path is for."""
    for base in API_BASES:
        if path.startswith(base):
            route = path[len(base) :].partition("/")[0]
            return Purpose.DATA if route in DATA_ROUTES else Purpose.ADMIN
    if path == DOCUMENT:
        return Purpose.DATA
    return Purpose.METRICS if path in METRICS_PATHS else Purpose.ADMIN


class Port:
    """An application as one port serves it: 404 for what belongs to another, and not ready while the router leaves."""

    def __init__(self, app: Asgi, purposes: frozenset[Purpose], is_leaving: Callable[[], bool]) -> None:
        self._app = app
        self._purposes = purposes
        self._serves_all = purposes == ALL
        self._is_leaving = is_leaving

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            path: str = scope["path"]
            if not self._serves_all and purpose_of(path) not in self._purposes:
                message = f"There is no {scope['method']} {path[:200]} here."  # as for what is nowhere
                return _answer(send, 404, render(ApiError("not_found", message)))
            if path == READY and self._is_leaving():
                return _answer(send, 503, b'{"status":"leaving"}')
        return self._app(scope, receive, send)


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
