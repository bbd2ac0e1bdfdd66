"""GET /models: the catalogue."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from router.api.auth import Authenticator
from router.policy.catalog import Pool
from router.protocol.model_object import ModelCard, model_object


def routes(cards: Sequence[ModelCard], keys: Authenticator) -> APIRouter:
    """The routes, to be mounted under each API base."""
    router = APIRouter()
    listing = {"data": [_object(card) for card in cards], "total_count": len(cards), "links": {"next": None}}

    @router.get("/models")
    async def list_models(request: Request) -> JSONResponse:
        await keys.identify(request.scope["headers"])
        return JSONResponse(listing)

    @router.get("/models/count")
    async def count_models(request: Request) -> JSONResponse:
        await keys.identify(request.scope["headers"])
        return JSONResponse({"data": {"count": len(cards)}})

    return router


def _object(card: ModelCard) -> dict[str, object]:
    pool = Pool(card.id, card.id, card.id, price=card.price, max_completion_tokens=card.max_completion_tokens)
    return model_object(card, {pool: card.pool_context_length})
