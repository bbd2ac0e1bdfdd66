"""Batches of a workspace: asked for, looked at, cancelled, deleted. What runs them is in `router/batches`.

Whoever may ask for inference may have batches. A batch is its key's: a caller without a key of its own that is still
there later (a token of an identity provider) cannot have one.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from starlette.requests import ClientDisconnect

from router.api.auth import Authenticator
from router.api.management import answer, missing, moment, page_size_of
from router.api.read_json import decode_json
from router.api.room import Place, Room
from router.batches.load import Loading
from router.batches.settings import BatchSettings
from router.policy.batch import Status
from router.policy.key import Key
from router.protocol.batch_object import batch_object, result_object
from router.protocol.batch_submit import Common, Submit, check_submit, provider_json, read_request
from router.protocol.errors import ApiError, invalid
from router.store.batch_records import BatchRecord, NewBatch, NewRequest

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.batches import BatchStore
    from router.store.files import FileStore

_PAGE, _LARGEST_PAGE = 20, 100
_AT_ONCE = 100  # requests that are read before others have their turn


class Finds(Protocol):
    """See `batches.callers`."""

    async def find(self, key_id: str) -> Key: ...


@dataclass(frozen=True, slots=True)
class BatchDesk:
    """Where batches are taken in."""

    batches: "BatchStore"
    files: "FileStore"
    callers: Finds
    settings: BatchSettings
    room: Room  # bodies of batches count as others do


def routes(keys: Authenticator, desk: BatchDesk | None) -> APIRouter:
    """The routes, to be mounted under each API base. `desk`: None without a database."""
    router = APIRouter()

    async def admit(request: Request) -> tuple[BatchDesk, Key]:
        if desk is None:
            raise ApiError("not_found", "This router runs no batches: set `database.url` in its configuration.")
        return desk, await keys.identify(request.scope["headers"])

    async def find(request: Request, batch_id: str) -> tuple[BatchDesk, BatchRecord]:
        desk, key = await admit(request)
        record = await desk.batches.get(key.workspace, batch_id)
        if record is None:
            raise missing("Batch")
        return desk, record

    @router.get("/batches")
    async def list_batches(request: Request) -> Response:
        desk, key = await admit(request)
        query, limit = request.query_params, page_size_of(request, _PAGE, _LARGEST_PAGE)
        found = await desk.batches.page(
            key.workspace,
            after=query.get("after") or None,
            limit=limit + 1,
            statuses=_statuses(request),
            created_after=moment("created_after", query.get("created_after")),
            created_before=moment("created_before", query.get("created_before")),
        )
        if found is None:
            raise invalid("after", "must be the id of a batch")
        shown = [batch_object(record.shown) for record in found[:limit]]
        page = {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": len(found) > limit,
        }
        return answer(page)

    @router.post("/batches")
    async def create_batch(request: Request) -> Response:
        if desk is None:
            raise ApiError("not_found", "This router runs no batches: set `database.url` in its configuration.")
        key = await keys.authenticate(request.scope["headers"])
        await _check_stays(desk, key)
        place = desk.room.enter()
        try:
            body = await _read(request, desk.settings, place)
            record = await _create(desk, key, decode_json(body, Submit))
        except ClientDisconnect:
            raise ApiError("client_closed_request", "The client left before its batch was whole.") from None
        finally:
            place.leave()
        return answer(batch_object(record.shown), 202)

    @router.get("/batches/{batch_id}")
    async def show_batch(request: Request, batch_id: str) -> Response:
        desk, record = await find(request, batch_id)
        if record.shown.input_file is not None or not record.shown.status.is_over or record.shown.problems:
            return answer(batch_object(record.shown))
        return StreamingResponse(
            _with_results(desk.batches, record), media_type="application/json", headers={"cache-control": "no-store"}
        )

    @router.post("/batches/{batch_id}/cancel")
    async def cancel_batch(request: Request, batch_id: str) -> Response:
        desk, record = await find(request, batch_id)
        cancelled = await desk.batches.cancel(record.workspace, record.id)
        if cancelled is None:
            if record.shown.status is Status.CANCELLING:
                return answer(batch_object(record.shown))
            raise _conflict(f"A batch that is {record.shown.status.value} cannot be cancelled.")
        return answer(batch_object(cancelled.shown))

    @router.delete("/batches/{batch_id}")
    async def delete_batch(request: Request, batch_id: str) -> Response:
        desk, record = await find(request, batch_id)
        if not await desk.batches.delete(record.workspace, record.id):
            raise _conflict("A batch can be deleted when it has ended: cancel it, or wait.")
        return answer({"id": record.id, "object": "batch", "deletion": {"openrouter": "deleted"}})

    return router


async def _create(desk: BatchDesk, key: Key, submit: Submit) -> BatchRecord:
    settings = desk.settings
    window_h = check_submit(submit, longest_window_h=settings.longest_window_h)
    expires, provider = submit.output_expires_after, provider_json(submit.provider)
    new = NewBatch(
        workspace=key.workspace,
        key=key.id,
        endpoint=submit.endpoint,
        model=submit.model or "",
        window_h=window_h,
        provider=provider,
        metadata=None if submit.metadata is None else msgspec.json.encode(submit.metadata),
        input_file=submit.input_file_id,
        output_keep_s=None if expires is None else expires.seconds,
    )
    if submit.requests is None:
        assert submit.input_file_id is not None
        if await desk.files.get(key.workspace, submit.input_file_id) is None:
            raise invalid("input_file_id", "there is no such file")
    elif len(submit.requests) > settings.requests:
        problem = f"a batch has at most {settings.requests} requests (batches.requests)"
        raise invalid("requests", problem, limit="batch_requests")
    record = await desk.batches.create(new, active=settings.active)
    try:
        total = await _load(desk, record.id, submit, Common(submit.endpoint, submit.model, provider))
        loaded = await desk.batches.loaded(record.id, total)
    except BaseException:
        await asyncio.shield(desk.batches.drop(record.id))
        raise
    if loaded is None:
        raise missing("Batch")
    return loaded


async def _load(desk: BatchDesk, batch: str, submit: Submit, common: Common) -> int:
    async def add(requests: list[NewRequest]) -> None:
        await desk.batches.add(batch, requests)

    loading = Loading(desk.settings, add)
    for index, asked in enumerate(submit.requests or ()):
        field = f"requests[{index}]"
        await loading.take(read_request(asked.custom_id, asked.body, common, field), field)
        if index % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
    await loading.flush()
    return loading.total


async def _check_stays(desk: BatchDesk, key: Key) -> None:
    try:
        await desk.callers.find(key.id)
    except ApiError as error:
        if error.status != 401:
            raise
        raise ApiError("permission_denied", "Batches run later, and need a key of their own: use an API key.") from None


async def _read(request: Request, settings: BatchSettings, place: Place) -> bytes:
    body = bytearray()
    async for part in request.stream():
        if len(body) + len(part) > settings.submit_bytes:
            message = f"The request body is larger than {settings.submit_bytes} bytes (batches.submit_bytes)."
            raise ApiError("payload_too_large", message, limit="batch_submit_bytes")
        place.take(len(part))
        body += part
    return bytes(body)


async def _with_results(batches: "BatchStore", record: BatchRecord) -> AsyncIterator[bytes]:
    """The batch's object, its results written as they are read."""
    shown = batch_object(record.shown)
    del shown["results"]
    yield msgspec.json.encode(shown)[:-1] + b',"results":['
    separator = b""
    async for result in batches.results(record.id):
        yield separator + msgspec.json.encode(result_object(result))
        separator = b","
    yield b"]}"


def _statuses(request: Request) -> tuple[Status, ...]:
    found = [text for value in request.query_params.getlist("status") for text in value.split(",")[: len(Status)]]
    try:
        return tuple(Status(text) for text in found)
    except ValueError:
        words = ", ".join(status.value for status in Status)
        raise invalid("status", f"must be one of {words}") from None


def _conflict(message: str) -> ApiError:
    return ApiError("invalid_request", message, status=409)
