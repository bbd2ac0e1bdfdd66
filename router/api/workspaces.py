"""Workspaces: what keys spend in, and what all keys of one may spend together."""

import uuid
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import UNSET, Meta, UnsetType

from router.api.management import Accounts, Desk, answer, interval_word, iso, limit_of, missing, nano, offset_of, usd
from router.api.read_json import read_json
from router.api.unenforced import refuse_unenforced
from router.policy.key import Interval
from router.protocol.errors import invalid
from router.store.rule_records import NewWorkspace, WorkspaceBudget, WorkspaceChange, WorkspaceRecord

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Slug = Annotated[str, Meta(max_length=50, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z")]
Description = Annotated[str, Meta(max_length=1_000)]
# namespace of the ids of workspaces' default guardrails
_GUARDRAILS = uuid.UUID("3f1c5e6a-7a44-5d0b-9a55-0d8f6a1f2c37")
_MOST = 10_000  # workspaces that are counted
_IDLE: dict[str, tuple[object, ...]] = {
    "default_image_model": (),
    "default_provider_sort": (),
    "default_text_model": (),
    "disabled_server_tools": (),
    "io_logging_api_key_ids": (),
    "io_logging_sampling_rate": (),
    "is_data_discount_logging_enabled": (False,),
    "is_observability_broadcast_enabled": (False,),
    "is_observability_io_logging_enabled": (False,),
}


class _Unenforced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default_image_model: object = UNSET
    default_provider_sort: object = UNSET
    default_text_model: object = UNSET
    disabled_server_tools: object = UNSET
    io_logging_api_key_ids: object = UNSET
    io_logging_sampling_rate: object = UNSET
    is_data_discount_logging_enabled: object = UNSET
    is_observability_broadcast_enabled: object = UNSET
    is_observability_io_logging_enabled: object = UNSET


class CreateWorkspace(_Unenforced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /workspaces."""

    name: Name
    slug: Slug
    description: Description | None = None


class UpdateWorkspace(_Unenforced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PATCH /workspaces/{id}. What is missing stays as it is."""

    name: Name | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET


class PutBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PUT /workspaces/{id}/budgets/{interval}."""

    limit_usd: Annotated[float, Meta(gt=0, le=9e9)]
    include_byok_in_budgets: bool | UnsetType = UNSET


def routes(desk: Desk) -> APIRouter:
    """The routes, to be mounted under each API base."""
    router = APIRouter()

    @router.get("/workspaces")
    async def list_workspaces(request: Request) -> Response:
        accounts = await desk.admit(request)
        offset, limit = offset_of(request), limit_of(request)
        records = await accounts.workspaces.page(limit=_MOST)
        shown = [workspace_object(record) for record in records[offset : offset + limit]]
        return answer({"data": shown, "total_count": len(records)})

    @router.post("/workspaces")
    async def create_workspace(request: Request) -> Response:
        accounts, caller = await desk.meet(request)
        body = await read_json(request, CreateWorkspace)
        refuse_unenforced(body, _IDLE)
        new = NewWorkspace(slug=body.slug, name=body.name, description=body.description, creator=caller.name)
        return answer({"data": workspace_object(await accounts.workspaces.create(new))}, status=201)

    @router.get("/workspaces/{reference}")
    async def show_workspace(request: Request, reference: str) -> Response:
        return answer({"data": workspace_object(await _find(await desk.admit(request), reference))})

    @router.patch("/workspaces/{reference}")
    async def change_workspace(request: Request, reference: str) -> Response:
        accounts = await desk.admit(request)
        body = await read_json(request, UpdateWorkspace)
        refuse_unenforced(body, _IDLE)
        change = WorkspaceChange(slug=body.slug, name=body.name, description=body.description)
        record = await accounts.workspaces.update((await _find(accounts, reference)).id, change)
        if record is None:
            raise missing("Workspace")
        return answer({"data": workspace_object(record)})

    @router.delete("/workspaces/{reference}")
    async def delete_workspace(request: Request, reference: str) -> Response:
        accounts = await desk.admit(request)
        if not await accounts.workspaces.delete((await _find(accounts, reference)).id):
            raise missing("Workspace")
        return answer({"deleted": True})

    _add_budgets(router, desk)
    return router


def _add_budgets(router: APIRouter, desk: Desk) -> None:
    @router.get("/workspaces/{reference}/budgets")
    async def list_budgets(request: Request, reference: str) -> Response:
        accounts = await desk.admit(request)
        workspace = await _find(accounts, reference)
        budgets = [budget_object(budget) for budget in await accounts.budgets.all(workspace.id)]
        return answer({"data": budgets, "include_byok_in_budgets": workspace.include_byok_in_budgets})

    @router.get("/workspaces/{reference}/budgets/{interval}")
    async def show_budget(request: Request, reference: str, interval: str) -> Response:
        accounts = await desk.admit(request)
        wanted = _interval(interval)
        budgets = await accounts.budgets.all((await _find(accounts, reference)).id)
        budget = next((each for each in budgets if each.interval is wanted), None)
        if budget is None:
            raise missing("Budget")
        return answer({"data": budget_object(budget)})

    @router.put("/workspaces/{reference}/budgets/{interval}")
    async def put_budget(request: Request, reference: str, interval: str) -> Response:
        accounts = await desk.admit(request)
        wanted = _interval(interval)
        body = await read_json(request, PutBudget)
        workspace = (await _find(accounts, reference)).id
        budget = await accounts.budgets.put(workspace, wanted, nano(body.limit_usd) or 0)
        if body.include_byok_in_budgets is not UNSET:
            change = WorkspaceChange(include_byok_in_budgets=body.include_byok_in_budgets)
            await accounts.workspaces.update(workspace, change)
        accounts.known.changed()
        return answer({"data": budget_object(budget)})

    @router.delete("/workspaces/{reference}/budgets/{interval}")
    async def delete_budget(request: Request, reference: str, interval: str) -> Response:
        accounts = await desk.admit(request)
        wanted = _interval(interval)
        if not await accounts.budgets.delete((await _find(accounts, reference)).id, wanted):
            raise missing("Budget")
        accounts.known.changed()
        return answer({"deleted": True})


def workspace_object(record: WorkspaceRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "slug": record.slug,
        "name": record.name,
        "description": record.description,
        "default_guardrail_id": str(uuid.uuid5(_GUARDRAILS, record.id)),
        "default_text_model": None,
        "default_image_model": None,
        "default_provider_sort": None,
        "disabled_server_tools": None,
        "include_byok_in_budgets": record.include_byok_in_budgets,
        "io_logging_api_key_ids": None,
        "io_logging_sampling_rate": 1.0,
        "is_data_discount_logging_enabled": False,
        "is_observability_broadcast_enabled": False,
        "is_observability_io_logging_enabled": False,
        "created_at": iso(record.created_at),
        "created_by": record.creator,
        "updated_at": iso(record.updated_at),
    }


def budget_object(budget: WorkspaceBudget) -> dict[str, object]:
    return {
        "id": budget.id,
        "workspace_id": budget.workspace,
        "limit_usd": usd(budget.limit),
        "reset_interval": interval_word(budget.interval),
        "created_at": iso(budget.created_at),
        "updated_at": iso(budget.updated_at),
    }


async def _find(accounts: Accounts, reference: str) -> WorkspaceRecord:
    """By id or slug. Raises ApiError 404."""
    record = await accounts.workspaces.get(reference)
    if record is None:
        raise missing("Workspace")
    return record


def _interval(word: str) -> Interval:
    try:
        return Interval(word)
    except ValueError:
        raise invalid("interval", "must be daily, weekly, monthly or lifetime") from None
