"""GET /credits: what may be spent and was (see store.credits)."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.api.management import Desk, answer, usd

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.credits import CreditStore


def routes(desk: Desk, store: "CreditStore | None") -> APIRouter:
    """The route, to be mounted under each API base. `store`: None without a database, as the desk's accounts."""
    router = APIRouter()

    @router.get("/credits")
    async def show(request: Request) -> Response:
        await desk.admit(request)
        assert store is not None
        found = await store.all()
        return answer({"data": {"total_credits": usd(found.total), "total_usage": usd(found.used)}})

    return router
