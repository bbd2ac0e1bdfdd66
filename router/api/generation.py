"""GET /generation: what became of a request.

An inference key sees its own requests; a management key, which sees all keys and what they spent, sees all. To anybody
else a generation is not there: that it exists is not told either.
"""

from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.api.auth import Authenticator
from router.api.management import answer
from router.protocol.entry import Entry
from router.protocol.errors import ApiError, invalid
from router.protocol.generation_object import generation_object

_LONGEST = 128  # characters of an id


class Finder(Protocol):
    async def find(self, generation: str) -> Entry | None:
        """Raises DatabaseAway."""


def routes(keys: Authenticator, generations: Finder) -> APIRouter:
    """The route, to be mounted under each API base."""
    router = APIRouter()

    @router.get("/generation")
    async def show(request: Request) -> Response:
        key = await keys.identify(request.scope["headers"])
        wanted = request.query_params.get("id", "")
        if not wanted:
            raise invalid("id", "is required")
        if len(wanted) > _LONGEST:
            raise invalid("id", f"must not be longer than {_LONGEST} characters")
        found = await generations.find(wanted)
        if found is None or not (key.is_management or found.key == key.id):
            raise ApiError("not_found", f"Generation {wanted} not found")
        return answer({"data": generation_object(found)})

    return router
