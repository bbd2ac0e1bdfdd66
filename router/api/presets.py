"""Presets: settings of requests under a name. Whoever may ask for inference may make and use those of its workspace."""

from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.api.auth import Authenticator
from router.api.management import answer, iso, missing, offset_of, page_size_of
from router.policy.key import Key
from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits
from router.protocol.presets.apply import capture
from router.protocol.presets.preset import LONGEST_SLUG, Api
from router.protocol.presets.reference import is_slug
from router.store.known_presets import KnownPresets
from router.store.preset_records import PresetRecord, PresetVersion

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.presets import PresetStore

_PAGE, _LARGEST_PAGE = 50, 100
_DIGITS = 9  # of a version's number


def routes(keys: Authenticator, store: "PresetStore", known: KnownPresets, limits: Limits) -> APIRouter:
    """The routes, to be mounted under each API base."""
    router = APIRouter()

    async def caller(request: Request) -> Key:
        return await keys.identify(request.scope["headers"])

    async def find(request: Request, slug: str) -> PresetRecord:
        record = await store.get((await caller(request)).workspace, slug)
        if record is None:
            raise missing("Preset")
        return record

    @router.get("/presets")
    async def list_presets(request: Request) -> Response:
        key = await caller(request)
        offset, limit = offset_of(request), page_size_of(request, _PAGE, _LARGEST_PAGE)
        records, total = await store.page(key.workspace, offset=offset, limit=limit)
        return answer({"data": [preset_object(record) for record in records], "total_count": total})

    @router.get("/presets/{slug}")
    async def show_preset(request: Request, slug: str) -> Response:
        return answer({"data": with_version(await find(request, slug))})

    @router.get("/presets/{slug}/versions")
    async def list_versions(request: Request, slug: str) -> Response:
        offset, limit = offset_of(request), page_size_of(request, _PAGE, _LARGEST_PAGE)
        record = await find(request, slug)
        found = await store.versions(record.id, offset=offset, limit=limit)
        shown = [version_object(version) for version in found]
        return answer({"data": shown, "total_count": record.designated.version})

    @router.get("/presets/{slug}/versions/{version}")
    async def show_version(request: Request, slug: str, version: str) -> Response:
        record = await find(request, slug)
        if not (version.isascii() and version.isdigit() and len(version) <= _DIGITS):
            raise invalid("version", "must be the number of a version")
        found = await store.versions(record.id, offset=max(0, int(version) - 1), limit=1)
        if not found or found[0].version != int(version):
            raise missing("Preset version")
        return answer({"data": version_object(found[0])})

    async def save(request: Request, slug: str, api: Api) -> Response:
        key = await caller(request)
        if not is_slug(slug):
            raise invalid("slug", f"has 1 to {LONGEST_SLUG} letters, digits, hyphens and underscores")
        captured = capture(await _body(request, limits), api, limits)
        record = await store.save(
            key.workspace,
            slug,
            system_prompt=captured.system_prompt,
            config=captured.config.decode(),
            creator=key.id,
        )
        known.changed(key.workspace, slug)
        return answer({"data": with_version(record)})

    @router.post("/presets/{slug}/chat/completions")
    async def save_chat(request: Request, slug: str) -> Response:
        return await save(request, slug, Api.CHAT)

    @router.post("/presets/{slug}/responses")
    async def save_response(request: Request, slug: str) -> Response:
        return await save(request, slug, Api.RESPONSES)

    @router.post("/presets/{slug}/messages")
    async def save_message(request: Request, slug: str) -> Response:
        return await save(request, slug, Api.MESSAGES)

    return router


def preset_object(record: PresetRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "creator_user_id": record.creator,
        "workspace_id": record.workspace,
        "name": record.name,
        "slug": record.slug,
        "description": record.description,
        "status": record.status,
        "designated_version_id": record.designated.id,
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
        "status_updated_at": None,
    }


def version_object(version: PresetVersion) -> dict[str, object]:
    return {
        "id": version.id,
        "preset_id": version.preset,
        "creator_id": version.creator,
        "version": version.version,
        "system_prompt": version.system_prompt,
        "config": msgspec.Raw(version.config.encode()),
        "created_at": iso(version.created_at),
        "updated_at": iso(version.created_at),
    }


def with_version(record: PresetRecord) -> dict[str, object]:
    """A preset and what requests get of it."""
    return {**preset_object(record), "designated_version": version_object(record.designated)}


async def _body(request: Request, limits: Limits) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limits.body_bytes:
            message = f"The request body is larger than {limits.body_bytes} bytes."
            raise ApiError("payload_too_large", message, limit="body_bytes")
    return bytes(body)
