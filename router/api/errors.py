"""Errors of the FastAPI routes in the API's own shape: ours, the framework's (404, 405) and the unexpected."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from router.protocol.errors import ApiError, render

logger = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with OpenRouter's error object."""

    @app.exception_handler(ApiError)
    async def on_api_error(request: Request, error: ApiError) -> Response:
        return _response(error)

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
    return Response(render(error), status_code=error.status, media_type="application/json")
