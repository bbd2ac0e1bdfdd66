"""Guardrails: what keys may spend and ask for, beyond their own limits; and which keys they are assigned to."""

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import UNSET, Meta, UnsetType

from router.api.guardrail_rules import OtherRules, others_object
from router.api.management import Desk, answer, interval_word, iso, limit_of, listed, missing, nano, offset_of, usd
from router.api.read_json import read_json
from router.api.unenforced import refuse_unenforced
from router.policy.key import DEFAULT_WORKSPACE, Interval
from router.store.rule_records import Assignment, GuardrailChange, GuardrailRecord, NewGuardrail, Rules

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Description = Annotated[str, Meta(max_length=1_000)]
Names = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1_000)]
Reset = Literal["daily", "weekly", "monthly"]
_IDLE: dict[str, tuple[object, ...]] = {
    "allow_safety_retention_google": (True,),
    "allow_safety_retention_other": (True,),
    "allowed_data_regions": (),
    "enable_free_model_publication": (True,),
}


class _Unenforced(OtherRules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    allow_safety_retention_google: object = UNSET
    allow_safety_retention_other: object = UNSET
    allowed_data_regions: object = UNSET
    enable_free_model_publication: object = UNSET


class _Rules(_Unenforced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit_usd: Annotated[float, Meta(ge=0, le=9e9)] | UnsetType | None = UNSET
    reset_interval: Reset | UnsetType | None = UNSET
    include_byok_in_budgets: bool | UnsetType = UNSET
    allowed_models: Names | UnsetType | None = UNSET
    ignored_models: Names | UnsetType | None = UNSET
    allowed_providers: Names | UnsetType | None = UNSET
    ignored_providers: Names | UnsetType | None = UNSET

    def over(self, rules: Rules) -> Rules:
        """Those rules, with what is said here. Raises ApiError 400."""
        refuse_unenforced(self, _IDLE)
        for name in ("allowed_models", "ignored_models", "allowed_providers", "ignored_providers"):
            if (value := getattr(self, name)) is not UNSET:
                rules = replace(rules, **{name: value})
        if self.include_byok_in_budgets is not UNSET:
            rules = replace(rules, include_byok_in_budgets=self.include_byok_in_budgets)
        if self.limit_usd is not UNSET:
            rules = replace(rules, limit=nano(self.limit_usd))
        if self.reset_interval is not UNSET:
            rules = replace(rules, limit_reset=None if self.reset_interval is None else Interval(self.reset_interval))
        return self.others_over(rules)


class CreateGuardrail(_Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /guardrails."""

    name: Name
    description: Description | None = None
    workspace_id: Name = DEFAULT_WORKSPACE


class UpdateGuardrail(_Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PATCH /guardrails/{id}. What is missing stays as it is."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET


class KeyHashes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys to assign a guardrail to, or to take it from."""

    key_hashes: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1_000)]


def routes(desk: Desk) -> APIRouter:
    """The routes, to be mounted under each API base."""
    router = APIRouter()
    _add_assignments(router, desk)  # before `/guardrails/{guardrail}`, which would take their paths for an id

    @router.get("/guardrails")
    async def list_guardrails(request: Request) -> Response:
        accounts = await desk.admit(request)
        workspace = request.query_params.get("workspace_id", DEFAULT_WORKSPACE)
        records = await accounts.guardrails.page(workspace, offset=offset_of(request), limit=limit_of(request))
        count = await accounts.guardrails.count(workspace)
        return answer({"data": [guardrail_object(record) for record in records], "total_count": count})

    @router.post("/guardrails")
    async def create_guardrail(request: Request) -> Response:
        accounts = await desk.admit(request)
        body = await read_json(request, CreateGuardrail)
        new = NewGuardrail(body.name, body.description, body.workspace_id, body.over(Rules()))
        return answer({"data": guardrail_object(await accounts.guardrails.create(new))}, status=201)

    @router.get("/guardrails/{guardrail}")
    async def show_guardrail(request: Request, guardrail: str) -> Response:
        accounts = await desk.admit(request)
        record = await accounts.guardrails.get(guardrail)
        if record is None:
            raise missing("Guardrail")
        return answer({"data": guardrail_object(record)})

    @router.patch("/guardrails/{guardrail}")
    async def change_guardrail(request: Request, guardrail: str) -> Response:
        accounts = await desk.admit(request)
        body = await read_json(request, UpdateGuardrail)
        before = await accounts.guardrails.get(guardrail)
        if before is None:
            raise missing("Guardrail")
        change = GuardrailChange(name=body.name, description=body.description, rules=body.over(before.rules))
        record = await accounts.guardrails.update(guardrail, change)
        if record is None:
            raise missing("Guardrail")
        accounts.known.changed()
        return answer({"data": guardrail_object(record)})

    @router.delete("/guardrails/{guardrail}")
    async def delete_guardrail(request: Request, guardrail: str) -> Response:
        accounts = await desk.admit(request)
        if not await accounts.guardrails.delete(guardrail):
            raise missing("Guardrail")
        accounts.known.changed()
        return answer({"deleted": True})

    return router


def _add_assignments(router: APIRouter, desk: Desk) -> None:
    @router.get("/guardrails/assignments/keys")
    async def list_all_assignments(request: Request) -> Response:
        accounts = await desk.admit(request)
        found, count = await accounts.guardrails.assignments(offset=offset_of(request), limit=limit_of(request))
        return answer({"data": [assignment_object(each) for each in found], "total_count": count})

    @router.get("/guardrails/{guardrail}/assignments/keys")
    async def list_assignments(request: Request, guardrail: str) -> Response:
        accounts = await desk.admit(request)
        if await accounts.guardrails.get(guardrail) is None:
            raise missing("Guardrail")
        found, count = await accounts.guardrails.assignments(
            guardrail, offset=offset_of(request), limit=limit_of(request)
        )
        return answer({"data": [assignment_object(each) for each in found], "total_count": count})

    @router.post("/guardrails/{guardrail}/assignments/keys")
    async def assign_keys(request: Request, guardrail: str) -> Response:
        accounts, caller = await desk.meet(request)
        hashes = (await read_json(request, KeyHashes)).key_hashes
        count = await accounts.guardrails.assign(guardrail, hashes, by=caller.name)
        if count is None:
            raise missing("Guardrail")
        accounts.known.changed()
        return answer({"assigned_count": count})

    @router.post("/guardrails/{guardrail}/assignments/keys/remove")
    async def unassign_keys(request: Request, guardrail: str) -> Response:
        accounts = await desk.admit(request)
        hashes = (await read_json(request, KeyHashes)).key_hashes
        count = await accounts.guardrails.unassign(guardrail, hashes)
        if count is None:
            raise missing("Guardrail")
        accounts.known.changed()
        return answer({"unassigned_count": count})


def guardrail_object(record: GuardrailRecord) -> dict[str, object]:
    rules = record.rules
    return {
        "id": record.id,
        "workspace_id": record.workspace,
        "name": record.name,
        "description": record.description,
        "limit_usd": None if rules.limit is None else usd(rules.limit),
        "reset_interval": None if rules.limit_reset is None else interval_word(rules.limit_reset),
        "include_byok_in_budgets": rules.include_byok_in_budgets,
        "allowed_models": listed(rules.allowed_models),
        "ignored_models": listed(rules.ignored_models),
        "allowed_providers": listed(rules.allowed_providers),
        "ignored_providers": listed(rules.ignored_providers),
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
        **others_object(rules),
        **dict.fromkeys(_IDLE),  # none of them is enforced
    }


def assignment_object(assignment: Assignment) -> dict[str, object]:
    return {
        "id": assignment.id,
        "guardrail_id": assignment.guardrail,
        "key_hash": assignment.key,
        "key_name": assignment.key_name,
        "key_label": assignment.key_label,
        "assigned_by": assignment.assigned_by,
        "created_at": iso(assignment.created_at),
    }
