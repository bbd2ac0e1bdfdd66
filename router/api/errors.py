"""Errors of the FastAPI routes in the API's own shape: ours, the framework's (404, 405) and the unexpected."""

import logging
import math

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from router.protocol.errors import ApiError, render
from router.store.away import DatabaseAway

_RETRY_AFTER_S = 5.0  # of a database that is away
logger = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with OpenRouter's error object."""

    @app.exception_handler(ApiError)
    async def on_api_error(request: Request, error: ApiError) -> Response:
        return _response(error)

    @app.exception_handler(DatabaseAway)
    async def on_database_away(request: Request, error: DatabaseAway) -> Response:
        return _response(
            ApiError(
                "provider_overloaded",
                "The database of accounts is away at the moment. Please try again shortly.",
                metadata={"reason": "database_away"},
                retry_after_s=_RETRY_AFTER_S,
            )
        )

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return _response(ApiError("not_found", f"There is no {request.method} {request.url.path[:200]} here."))
        return _response(ApiError("invalid_request", str(error.detail), status=error.status_code))

    @app.exception_handler(Exception)
    async def on_unexpected(request: Request, error: Exception) -> Response:
        logger.error("unexpected failure of %s %s", request.method, request.url.path, exc_info=error)
        return _response(ApiError("server", "Internal Server Error"))


def _response(error: ApiError) -> Response:
    retry = error.retry_after_s
    headers = {} if retry is None else {"retry-after": f"{max(1, math.ceil(retry))}"}
    return Response(render(error), status_code=error.status, media_type="application/json", headers=headers)
