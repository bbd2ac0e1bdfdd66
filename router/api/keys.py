"""Keys: a caller asks about its own (`/key`), a manager makes, shows, changes and deletes them (`/keys`)."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.api.key_bodies import CreateKey, UpdateKey
from router.api.key_object import key_object, own_object
from router.api.management import Desk, answer, flag_of, missing, offset_of
from router.api.read_json import read_json
from router.policy.key import DEFAULT_WORKSPACE
from router.protocol.secret import fresh_key


def routes(desk: Desk, wall_clock: Callable[[], float]) -> APIRouter:
    """The routes, to be mounted under each API base. `wall_clock`: unix seconds."""
    router = APIRouter()

    @router.get("/key")
    @router.get("/auth/key")
    async def show_own(request: Request) -> Response:
        key = await desk.keys.identify(request.scope["headers"])
        record, spent = None, {}
        if desk.accounts is not None:
            record = await desk.accounts.keys.get(key.id)
            spent = await desk.accounts.spent.by({*key.owners, *(budget.owner for budget in key.budgets)})
        return answer({"data": own_object(key, record, spent, wall_clock())})

    @router.get("/keys")
    async def list_keys(request: Request) -> Response:
        accounts = await desk.admit(request)
        records = await accounts.keys.page(
            request.query_params.get("workspace_id", DEFAULT_WORKSPACE),
            include_disabled=flag_of(request, "include_disabled"),
            include_expired=flag_of(request, "include_expired"),
            offset=offset_of(request),
        )
        return answer({"data": [key_object(record) for record in records]})

    @router.post("/keys")
    async def create_key(request: Request) -> Response:
        accounts = await desk.admit(request)
        body = await read_json(request, CreateKey)
        fresh = fresh_key()
        record = await accounts.keys.create(body.new_key(fresh, wall_clock()))
        return answer({"data": key_object(record), "key": fresh.secret}, status=201)

    @router.get("/keys/{key_hash}")
    async def show_key(request: Request, key_hash: str) -> Response:
        accounts = await desk.admit(request)
        record = await accounts.keys.get(key_hash)
        if record is None:
            raise missing("API key")
        return answer({"data": key_object(record)})

    @router.patch("/keys/{key_hash}")
    async def change_key(request: Request, key_hash: str) -> Response:
        accounts = await desk.admit(request)
        change = (await read_json(request, UpdateKey)).change(wall_clock())
        record = await accounts.keys.update(key_hash, change)
        if record is None:
            raise missing("API key")
        accounts.known.changed(*([key_hash] if record.is_disabled else []))
        return answer({"data": key_object(record)})

    @router.delete("/keys/{key_hash}")
    async def delete_key(request: Request, key_hash: str) -> Response:
        accounts = await desk.admit(request)
        if not await accounts.keys.delete(key_hash):
            raise missing("API key")
        accounts.known.changed(key_hash)
        return answer({"deleted": True})

    return router
