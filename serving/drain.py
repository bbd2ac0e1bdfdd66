"""Turns new work away from a replica that is ending, while what runs goes on.

Ray keeps a draining replica's port open, so that a caller who has not yet heard of its end is not met by a closed
door; by itself it would go on taking work through it. Reading (health, metrics, models) stays possible.
"""

import json
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

READS = frozenset({"GET", "HEAD", "OPTIONS"})


class RefuseWhileDraining:
    """ASGI middleware: 503 with `Retry-After` for whatever would start work.

    Args:
        app: the application behind it.
        is_draining: asked at each request.
        retry_after_s: seconds for the `Retry-After` header.
    """

    def __init__(self, app: ASGIApp, *, is_draining: Callable[[], bool], retry_after_s: int) -> None:
        self._app = app
        self._is_draining = is_draining
        self._retry_after = str(retry_after_s).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READS or not self._is_draining():
            await self._app(scope, receive, send)
            return
        error = {
            "message": "this replica is shutting down; another one can take the request",
            "type": "service_unavailable",
            "code": 503,
        }
        body = json.dumps({"error": error}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"retry-after", self._retry_after),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})
