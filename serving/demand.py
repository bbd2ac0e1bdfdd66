"""How much work a replica has, as Ray's autoscaling is told it: requests that compute something, and no others.

Ray counts every request, and asks for whole replicas: one look at `/metrics` within its look-back window is reason
enough to keep a replica. Routers and Prometheus look every second, so an idle engine would be kept for ever. Reading is
no work.

What came and went between two reports still counts as a hundredth of a request: an engine that answers a short
question now and then is in use.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.drain import READS

RUNNING = "running_requests"  # Ray's own name for its count, which a report of the same name replaces
TRACE = 0.01  # requests


class Demand:
    """Of one replica."""

    def __init__(self) -> None:
        self.running = 0
        self._has_begun = False  # since the last report

    def begin(self) -> None:
        """Work comes in."""
        self.running += 1
        self._has_begun = True

    def end(self) -> None:
        """It is done."""
        self.running -= 1

    def report(self) -> dict[str, float]:
        """What Ray is told; asked for a few times a second."""
        begun, self._has_begun = self._has_begun, False
        return {RUNNING: self.running or (TRACE if begun else 0.0)}


class CountWork:
    """ASGI middleware: tells `demand` of every request that is not mere reading, from its start to its end."""

    def __init__(self, app: ASGIApp, *, demand: Demand) -> None:
        self._app = app
        self._demand = demand

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READS:
            await self._app(scope, receive, send)
            return
        self._demand.begin()
        try:
            await self._app(scope, receive, send)
        finally:
            self._demand.end()
