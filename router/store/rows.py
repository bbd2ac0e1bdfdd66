"""Rows of the database become records."""

from sqlalchemy import Row

from router.policy.call import Priority
from router.policy.key import Interval, Rates
from router.store.key_records import KeyRecord, Spent
from router.store.other_rules import with_other
from router.store.rule_records import Assignment, GuardrailRecord, Rules, WorkspaceBudget, WorkspaceRecord
from router.store.text import from_json


def key(row: Row[tuple[object, ...]], spent: Spent) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        label=row.label,
        name=row.name,
        workspace=row.workspace,
        is_management=row.is_management,
        is_disabled=row.is_disabled,
        expires_at=row.expires_at,
        limit=row.limit_nano,
        limit_reset=Interval(row.limit_reset),
        include_byok_in_limit=row.include_byok,
        rates=Rates(row.requests_per_min, row.tokens_per_min, row.concurrent),
        priority=Priority(row.priority),
        models=from_json(row.models),
        providers=from_json(row.providers),
        creator=row.creator,
        external_user=row.external_user,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_used_at=row.last_used_at,
        spent=spent,
    )


def workspace(row: Row[tuple[object, ...]]) -> WorkspaceRecord:
    return WorkspaceRecord(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        include_byok_in_budgets=row.include_byok,
        other=row.other,
        creator=row.creator,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def budget(row: Row[tuple[object, ...]]) -> WorkspaceBudget:
    return WorkspaceBudget(
        id=row.id,
        workspace=row.workspace,
        interval=Interval(row.interval),
        limit=row.limit_nano,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def guardrail(row: Row[tuple[object, ...]]) -> GuardrailRecord:
    return GuardrailRecord(
        id=row.id,
        workspace=row.workspace,
        name=row.name,
        description=row.description,
        rules=with_other(_rules(row), row.other),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _rules(row: Row[tuple[object, ...]]) -> Rules:
    return Rules(
        limit=row.limit_nano,
        limit_reset=None if row.limit_reset is None else Interval(row.limit_reset),
        include_byok_in_budgets=row.include_byok,
        allowed_models=from_json(row.allowed_models),
        ignored_models=from_json(row.ignored_models),
        allowed_providers=from_json(row.allowed_providers),
        ignored_providers=from_json(row.ignored_providers),
    )


def assignment(row: Row[tuple[object, ...]]) -> Assignment:
    return Assignment(
        id=row.id,
        guardrail=row.guardrail,
        key=row.key,
        key_name=row.name,
        key_label=row.label,
        assigned_by=row.assigned_by,
        created_at=row.created_at,
    )
