"""Files of a workspace: sent, listed, looked at, got back, deleted, in the words of whichever client asks."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from router.api.auth import Authenticator
from router.api.management import answer, missing, page_size_of
from router.api.upload import receive_file
from router.policy.key import Key
from router.protocol.errors import ApiError, invalid
from router.protocol.file_object import Shape, Shown, deleted_object, file_object, list_object, shape_of
from router.store.file_records import FileRecord

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.files import FileStore

_PAGE, _LARGEST_PAGE = 100, 1_000
_CURSORS = ("after", "after_id", "cursor")  # OpenAI's, Anthropic's, OpenRouter's: ids all of them


def routes(keys: Authenticator, store: "FileStore | None") -> APIRouter:
    """The routes, to be mounted under each API base. `store`: None without a database."""
    router = APIRouter()

    async def admit(request: Request) -> "tuple[FileStore, Key]":
        if store is None:
            raise ApiError("not_found", "This router keeps no files: set `database.url` in its configuration.")
        key = await keys.identify(request.scope["headers"])
        if request.query_params.get("workspace_id", key.workspace) != key.workspace:
            raise ApiError("permission_denied", "The key is of another workspace.")
        if "provider" in request.query_params:
            raise invalid("provider", "files are kept by this router itself, and by no provider")
        return store, key

    async def find(request: Request, file_id: str) -> "tuple[FileStore, FileRecord]":
        store, key = await admit(request)
        record = await store.get(key.workspace, file_id)
        if record is None:
            raise missing("File")
        return store, record

    @router.get("/files")
    async def list_files(request: Request) -> Response:
        store, key = await admit(request)
        shape, limit = _shape(request), page_size_of(request, _PAGE, _LARGEST_PAGE)
        query = request.query_params
        if "before_id" in query:
            raise invalid("before_id", "is not supported: list forwards, with after_id")
        usual = "desc" if shape is Shape.OPENAI else "asc"
        order = query.get("order", usual)
        if order not in ("asc", "desc"):
            raise invalid("order", "must be asc or desc")
        cursor = next((name for name in _CURSORS if query.get(name)), None)
        found = await store.page(
            key.workspace,
            after=None if cursor is None else query[cursor],
            limit=limit + 1,
            purpose=query.get("purpose"),
            newest_first=order == "desc",
        )
        if found is None:
            raise invalid(cursor or "after", "must be the id of a file")
        shown = [_shown(record) for record in found[:limit]]
        return answer(list_object(shown, shape, has_more=len(found) > limit))

    @router.post("/files")
    async def upload_file(request: Request) -> Response:
        store, key = await admit(request)
        record, has_purpose = await receive_file(request, store, key)
        shape = _shape(request)
        if has_purpose and shape is Shape.OPENROUTER:
            shape = Shape.OPENAI
        return answer(file_object(_shown(record), shape))

    @router.get("/files/{file_id}")
    async def show_file(request: Request, file_id: str) -> Response:
        _, record = await find(request, file_id)
        return answer(file_object(_shown(record), _shape(request)))

    @router.delete("/files/{file_id}")
    async def delete_file(request: Request, file_id: str) -> Response:
        store, record = await find(request, file_id)
        await store.delete(record.workspace, record.id)
        return answer(deleted_object(record.id, _shape(request)))

    @router.get("/files/{file_id}/content")
    async def download_file(request: Request, file_id: str) -> Response:
        store, record = await find(request, file_id)
        return StreamingResponse(
            _content(store, record),
            media_type="application/octet-stream",
            headers={
                "content-length": f"{record.size}",
                "content-disposition": f"attachment; filename*=UTF-8''{quote(record.filename, safe='')}",
                "x-content-type-options": "nosniff",
                "cache-control": "no-store",
            },
        )

    return router


async def _content(store: "FileStore", record: FileRecord) -> AsyncIterator[bytes]:
    async for chunk in store.read(record.id):
        yield chunk


def _shape(request: Request) -> Shape:
    agent = request.headers.get("user-agent", "").encode("latin-1", errors="replace")
    return shape_of(request.url.path, agent, has_anthropic_version="anthropic-version" in request.headers)


def _shown(record: FileRecord) -> Shown:
    return Shown(
        record.id,
        record.filename,
        record.mime_type,
        record.purpose,
        record.size,
        record.created_at,
        record.expires_at,
    )
