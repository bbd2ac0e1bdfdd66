"""What can be asked for: models, what serves them, and who. The same to every key, but for `/models/user`.

Models go by their slugs, which may hold a slash, by aliases, and by variants (`:free`).
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.api.auth import Authenticator
from router.api.management import answer, missing
from router.catalogue import Catalogue
from router.policy.key import Key
from router.policy.preferences import is_among
from router.protocol.model_choice import Offer, choose, keeps_nothing
from router.protocol.model_object import architecture_object, model_object, parameters_of
from router.protocol.model_query import ModelQuery, outputs_of, parse_query
from router.protocol.provider_object import provider_object
from router.protocol.rss import MEDIA_TYPE, render_rss


def routes(catalogue: Catalogue, keys: Authenticator, wall_clock: Callable[[], float]) -> APIRouter:
    """The routes, to be mounted under each API base. `wall_clock`: unix seconds."""
    router = APIRouter()

    async def identify(request: Request) -> Key:
        return await keys.identify(request.scope["headers"])

    def listing(request: Request, offers: Sequence[Offer]) -> Response:
        query = parse_query(request.query_params)
        chosen = choose(offers, query, catalogue.providers, catalogue, wall_clock())
        page = chosen[query.offset :] if query.limit is None else chosen[query.offset : query.offset + query.limit]
        if query.is_rss:
            return Response(render_rss(offer.card for offer in page), media_type=MEDIA_TYPE)
        data = [model_object(offer.card, offer.pools) for offer in page]
        links = {"next": _next(request, query, len(chosen))}
        return answer({"data": data, "total_count": len(chosen), "links": links})

    def found(name: str) -> Offer:
        offer = catalogue.find(name)
        if offer is None:
            raise missing("Model")
        return offer

    @router.get("/models")
    async def list_models(request: Request) -> Response:
        await identify(request)
        return listing(request, catalogue.offers())

    @router.get("/models/user")
    async def list_own_models(request: Request) -> Response:
        return listing(request, catalogue.offers(await identify(request)))

    @router.get("/models/count")
    async def count_models(request: Request) -> Response:
        await identify(request)
        query = ModelQuery(outputs=outputs_of(request.query_params))
        chosen = choose(catalogue.offers(), query, (), catalogue, wall_clock())
        return answer({"data": {"count": len(chosen)}})

    @router.get("/models/{slug:path}/endpoints")
    async def list_endpoints(request: Request, slug: str) -> Response:
        await identify(request)
        offer = found(slug)
        card = offer.card
        shown = {
            "id": card.id,
            "name": card.name,
            "created": card.created,
            "description": card.description,
            "architecture": architecture_object(card),
            "endpoints": catalogue.endpoints([offer]),
        }
        return answer({"data": shown})

    @router.get("/model/{slug:path}")
    async def show_model(request: Request, slug: str) -> Response:
        await identify(request)
        offer = found(slug)
        return answer({"data": model_object(offer.card, offer.pools)})

    @router.get("/parameters/{slug:path}")
    async def show_parameters(request: Request, slug: str) -> Response:
        await identify(request)
        offer, provider = found(slug), request.query_params.get("provider")
        pools = [pool for pool in offer.pools if not provider or is_among(pool, [provider])]
        if not pools:
            raise missing("Provider")
        names = dict.fromkeys(name for pool in pools for name in parameters_of(offer.card, pool))
        return answer({"data": {"model": offer.card.id, "supported_parameters": list(names)}})

    @router.get("/endpoints/zdr")
    async def list_discreet(request: Request) -> Response:
        await identify(request)
        return answer({"data": catalogue.endpoints(catalogue.offers(), keeps_nothing)})

    @router.get("/providers")
    async def list_providers(request: Request) -> Response:
        await identify(request)
        return answer({"data": [provider_object(card) for card in catalogue.providers]})

    return router


def _next(request: Request, query: ModelQuery, count: int) -> str | None:
    """Where the next page is, as a path: the host is whatever the caller called."""
    if query.limit is None or query.offset + query.limit >= count:
        return None
    given = {name: value for name, value in request.query_params.items() if name not in ("offset", "limit")}
    page = {"offset": query.offset + query.limit, "limit": query.limit}
    return f"{request.url.path}?{urlencode(given | page)}"
