"""Turns new work away from a replica that is ending, once its callers must have heard of that.

Ray keeps a draining replica's port open, and waits for whatever comes in meanwhile like for any request. Callers hear
of its end a little later than it does, and of its successor in the same moment: refused at once, they would have nobody
to ask. So work is taken for some seconds more, and refused after that, for by itself Ray would take it for as long as
one stream lasts. Reading (health, metrics, models) stays possible.
"""

import json
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

READS = frozenset({"GET", "HEAD", "OPTIONS"})


class RefuseWhileDraining:
    """ASGI middleware: 503 with `Retry-After` for whatever would start work.

    Args:
        app: the application behind it.
        is_draining: asked at each request, also at those that only read: routers' and Ray's come every second.
        leave_s: seconds from the first such request on for which work is still taken.
        retry_after_s: seconds for the `Retry-After` header.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_draining: Callable[[], bool],
        leave_s: float,
        retry_after_s: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._is_draining = is_draining
        self._leave_s = leave_s
        self._retry_after = str(retry_after_s).encode()
        self._clock = clock
        self._noticed: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._has_left() or scope["method"] in READS:
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

    def _has_left(self) -> bool:
        if not self._is_draining():
            return False
        now = self._clock()
        if self._noticed is None:
            self._noticed = now
        return now - self._noticed >= self._leave_s
