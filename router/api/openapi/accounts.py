"""Keys, workspaces and guardrails: bodies from the structs that they are read into, answers as the API shows them."""

import dataclasses

import msgspec

from router.api.guardrails import CreateGuardrail, KeyHashes, UpdateGuardrail
from router.api.key_bodies import CreateKey, UpdateKey
from router.api.openapi.shape import Json, listed, nullable, record, ref
from router.api.workspaces import CreateWorkspace, PutBudget, UpdateWorkspace
from router.store.rule_records import DataRules

BODIES = (
    CreateKey,
    UpdateKey,
    CreateWorkspace,
    UpdateWorkspace,
    PutBudget,
    CreateGuardrail,
    UpdateGuardrail,
    KeyHashes,
)
_USAGE = " ".join(
    f"{kind}{span}:number" for kind in ("usage", "byok_usage") for span in ("", "_daily", "_weekly", "_monthly")
)
_LIMIT = "limit:number? limit_remaining:number? limit_reset:string? include_byok_in_limit:boolean"
_OURS = "priority:batch|normal|critical allowed_models:string[]? allowed_providers:string[]?"


def schemas() -> dict[str, Json]:
    return {**_bodies(), **_keys(), **_workspaces(), **_guardrails(), "Deleted": record("", deleted={"const": True})}


def _bodies() -> dict[str, Json]:
    _, components = msgspec.json.schema_components(
        BODIES, ref_template="#/components/schemas/{name}", schema_hook=_unenforced
    )
    # the end of a text is `$` in the patterns of JSON Schema
    written = msgspec.json.encode(components).replace(rb"\\Z", b"$")
    schemas: dict[str, Json] = msgspec.json.decode(written)
    return schemas


def _unenforced(kind: type) -> dict[str, object]:
    """Of fields that are read as whatever they are, to be refused unless they ask for nothing."""
    if kind is not object:
        raise NotImplementedError
    return {"description": "Not enforced here: refused unless it asks for nothing."}


def _keys() -> dict[str, Json]:
    rates = record("requests_per_min:integer? tokens_per_min:integer? concurrent:integer?")
    key = record(
        f"hash:string label:string name:string disabled:boolean {_LIMIT} {_USAGE} created_at:time updated_at:time? "
        f"last_used_at:time? expires_at:time? creator_user_id:string? external_user:string? workspace_id:string "
        f"is_management:boolean {_OURS}",
        rates=rates,
    )
    budget = record(
        "scope:string limit_usd:number spend_usd:number remaining_usd:number reset_interval:string? resets_at:time? "
        "include_byok:boolean budget_id:string? guardrail_id:string?"
    )
    own = record(
        f"label:string name:string {_LIMIT} {_USAGE} is_management_key:boolean is_provisioning_key:boolean "
        "is_free_tier:boolean allowed_data_regions:string[] organization_id:string? creator_user_id:string? "
        f"workspace_id:string expires_at:time? {_OURS} ignored_models:string[] ignored_providers:string[]",
        rates=rates,
        budgets=listed(budget),
        effective_budget=nullable(budget),
        free_model_daily_requests=record("limit:integer used:integer remaining:integer"),
        rate_limit=record("requests:integer interval:string note:string"),
    )
    return {
        "Key": key,
        "OneKey": record("data:Key"),
        "NewKey": record("data:Key key:string"),
        "Keys": record("data:Key[]"),
        "OwnKey": record("", data=own),
    }


def _workspaces() -> dict[str, Json]:
    workspace = record(
        "id:string slug:string name:string description:string? default_guardrail_id:string default_text_model:string? "
        "default_image_model:string? default_provider_sort:string? disabled_server_tools:string[]? "
        "include_byok_in_budgets:boolean io_logging_api_key_ids:integer[]? io_logging_sampling_rate:number "
        "is_data_discount_logging_enabled:boolean is_observability_broadcast_enabled:boolean "
        "is_observability_io_logging_enabled:boolean created_at:time created_by:string? updated_at:time?"
    )
    budget = record(
        "id:string workspace_id:string limit_usd:number reset_interval:string? created_at:time updated_at:time?"
    )
    return {
        "Workspace": workspace,
        "OneWorkspace": record("data:Workspace"),
        "Workspaces": record("data:Workspace[] total_count:integer"),
        "WorkspaceBudget": budget,
        "OneBudget": record("data:WorkspaceBudget"),
        "Budgets": record("data:WorkspaceBudget[] include_byok_in_budgets:boolean"),
    }


def _guardrails() -> dict[str, Json]:
    fields = (
        "id:string workspace_id:string name:string description:string? limit_usd:number? reset_interval:string? "
        "include_byok_in_budgets:boolean allowed_models:string[]? ignored_models:string[]? allowed_providers:string[]? "
        "ignored_providers:string[]? created_at:time updated_at:time? enforce_zdr:null "
        + " ".join(f"{field.name}:boolean?" for field in dataclasses.fields(DataRules))
    )
    own = record("pattern:string action:redact|block|flag label:string?")
    builtin = record("slug:string action:redact|block|flag label:string scan_scope:user_only|all_messages")
    filters = {"content_filters": nullable(listed(own)), "content_filter_builtins": nullable(listed(builtin))}
    assignment = record(
        "id:string guardrail_id:string key_hash:string key_name:string key_label:string assigned_by:string? "
        "created_at:time"
    )
    return {
        "Guardrail": {
            **record(fields, **filters),
            "additionalProperties": True,
        },  # with OpenRouter's that are not enforced: null
        "OneGuardrail": record("data:Guardrail"),
        "Guardrails": record("data:Guardrail[] total_count:integer"),
        "Assignment": assignment,
        "Assignments": record("total_count:integer", data=listed(ref("Assignment"))),
        "Assigned": record("assigned_count:integer"),
        "Unassigned": record("unassigned_count:integer"),
    }
