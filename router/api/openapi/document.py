"""The router's own OpenAPI document: written once at start, served as bytes at `/openapi.json`.

What the router reads is taken from what it reads with: tables of fields, structs of bodies, limits, table of errors.
What it answers is written down beside it in this package, and tests hold real answers against it. Paths are whole
(`/api/v1/…`), so that there is one base address; the same routes answer under `/v1`.
"""

from collections.abc import Mapping

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from router.api.openapi import (
    accounts,
    administration,
    answers,
    batches,
    catalogue,
    failures,
    inference,
    information,
    presets,
    requests,
    responses,
    skins,
)
from router.api.openapi.operation import Operation
from router.api.openapi.shape import Json
from router.protocol.limits import Limits

BASE = "/api/v1"
_TAGS = ("inference", "models", "usage", "keys", "workspaces", "guardrails", "presets", "files", "batches", "operation")


def routes(document: bytes) -> APIRouter:
    """To be mounted at the root and under each API base; open to all, as what it says is no secret."""
    router = APIRouter()

    @router.get("/openapi.json")
    async def openapi() -> Response:
        return Response(document, media_type="application/json")

    return router


def write(limits: Limits, *, version: str, model: str = "author/model") -> bytes:
    """The document as JSON.

    Args:
        limits: of requests.
        version: of this router.
        model: a slug of this router, for the examples.
    """
    paths: dict[str, dict[str, Json]] = {}
    for place, operation in operations(model).items():
        method, _, path = place.partition(" ")
        paths.setdefault(path, {})[method.lower()] = operation.written(_name(method, path))
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Tramontane",
            "version": version,
            "description": "OpenRouter's API over your own engines. The paths under `/api/v1` answer under `/v1` too.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in _TAGS],
        "paths": paths,
        "components": {
            "schemas": schemas(limits),
            "responses": failures.components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }
    return msgspec.json.encode(document)


def operations(model: str = "author/model") -> Mapping[str, Operation]:
    """All of them, by method and whole path."""
    under_base = {**inference.operations(model), **information.operations(), **administration.operations()}
    under_base |= {**responses.operations(), **presets.operations(model), **batches.operations(model)}
    under_base["GET /openapi.json"] = information.root_operations()["GET /openapi.json"]
    found = {place.replace(" ", f" {BASE}", 1): operation for place, operation in under_base.items()}
    return {**found, **information.root_operations()}


def schemas(limits: Limits) -> dict[str, Json]:
    """All that the operations refer to."""
    return {
        **requests.schemas(limits),
        **answers.schemas(),
        **skins.schemas(),
        **responses.schemas(),
        **catalogue.schemas(),
        **accounts.schemas(),
        **presets.schemas(),
        **batches.schemas(),
        **failures.schemas(),
    }


def _name(method: str, path: str) -> str:
    """An id that is unique: `getApiV1ModelsCount`."""
    words = path.replace("{", "").replace("}", "").replace(".", "/").replace("_", "/").replace("-", "/").split("/")
    return method.lower() + "".join(word.capitalize() for word in words if word)
