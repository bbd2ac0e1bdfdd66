"""Answers of `/responses` that were kept: looked at, deleted, and what they answered, in OpenAI's words.

Any key of a workspace may do so with all that its workspace has kept.
"""

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.api.auth import Authenticator
from router.api.management import answer, flag_of, page_size_of
from router.policy.key import ANONYMOUS, Key
from router.protocol.errors import ApiError, invalid
from router.protocol.responses.listed import listed_items
from router.protocol.responses.memory import Remembered
from router.store.kept_responses import KeptResponses

_PAGE, _LARGEST_PAGE = 20, 100  # OpenAI's


def routes(keys: Authenticator, kept: KeptResponses | None) -> APIRouter:
    """The routes, to be mounted under each API base. `kept`: None where nothing is."""
    router = APIRouter()

    async def admit(request: Request) -> tuple[KeptResponses, Key]:
        if kept is None:
            raise ApiError("not_found", "This router keeps no responses: set `responses.store` in its configuration.")
        return kept, await keys.identify(request.scope["headers"])

    async def find(request: Request, response: str) -> Remembered:
        kept, key = await admit(request)
        found = None if key.id == ANONYMOUS.id else await kept.find(key.workspace, response)
        if found is None:
            raise _missing(response)
        return found

    @router.get("/responses/{response_id}")
    async def show_response(request: Request, response_id: str) -> Response:
        found = await find(request, response_id)
        if flag_of(request, "stream"):
            raise invalid("stream", "a response that is kept is given whole")
        return answer(msgspec.Raw(found.response))

    @router.delete("/responses/{response_id}")
    async def delete_response(request: Request, response_id: str) -> Response:
        kept, key = await admit(request)
        if key.id == ANONYMOUS.id or not await kept.delete(key.workspace, response_id):
            raise _missing(response_id)
        return answer({"id": response_id, "object": "response", "deleted": True})

    @router.get("/responses/{response_id}/input_items")
    async def list_input_items(request: Request, response_id: str) -> Response:
        found = await find(request, response_id)
        limit, order = page_size_of(request, _PAGE, _LARGEST_PAGE), request.query_params.get("order", "desc")
        if order not in ("asc", "desc"):
            raise invalid("order", "must be asc or desc")
        items = listed_items(found.input, found.id)
        if order == "desc":
            items.reverse()
        if after := request.query_params.get("after"):
            place = next((index for index, (name, _) in enumerate(items) if name == after), None)
            if place is None:
                raise invalid("after", "must be the id of an item")
            items = items[place + 1 :]
        shown = items[:limit]
        return answer(
            {
                "object": "list",
                "data": [msgspec.Raw(item) for _, item in shown],
                "first_id": shown[0][0] if shown else None,
                "last_id": shown[-1][0] if shown else None,
                "has_more": len(items) > limit,
            }
        )

    return router


def _missing(response: str) -> ApiError:
    return ApiError("not_found", f"Response with id '{response[:256]}' not found.", field="response_id")
