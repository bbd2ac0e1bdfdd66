"""For operators: liveness, readiness, metrics and the state of the fleet."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from router.api.auth import Authenticator
from router.fleet import Fleet

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def routes(fleet: Fleet, render_metrics: Callable[[], bytes], keys: Authenticator) -> APIRouter:
    """The routes, to be mounted at the root."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "alive"})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        if fleet.is_ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "no engine answers its probe yet"}, status_code=503)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(render_metrics(), media_type=PROMETHEUS_TEXT)

    @router.get("/status")
    async def status(request: Request) -> JSONResponse:
        # it names engines' addresses: for those who run the router, where they have keys of their own
        await keys.authenticate(request.scope["headers"], management=keys.has_management)
        return JSONResponse(fleet.status())

    return router
