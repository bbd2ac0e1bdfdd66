"""Records become columns: what is written of a key or a guardrail, after a look at whether it can be held."""

from msgspec import UNSET

from router.policy.key import Interval
from router.protocol.errors import invalid
from router.store import other_rules
from router.store.key_records import KeyChange, NewKey
from router.store.rule_records import Rules
from router.store.text import check, check_all, to_json

Columns = dict[str, str | int | float | bool | None]

_MOST = 2**63 - 1  # nano-dollars: nine thousand million dollars


def check_key(key: NewKey | KeyChange) -> None:
    """
    Raises:
        ApiError: 400, something cannot be stored.
    """
    for field in ("id", "label", "name", "workspace", "creator", "external_user"):
        value = getattr(key, field, None)
        if value is not UNSET:
            check(field, value)
    for field in ("models", "providers"):
        value = getattr(key, field)
        if value is not UNSET:
            check_all(field, value)
    if key.limit is not UNSET:
        check_limit("limit", key.limit)


def check_rules(rules: Rules) -> None:
    """
    Raises:
        ApiError: 400, a limit without its interval, or something cannot be stored.
    """
    check_limit("limit_usd", rules.limit)
    if (rules.limit is None) != (rules.limit_reset is None):
        raise invalid("reset_interval", "must be given together with limit_usd")
    if rules.limit_reset is Interval.LIFETIME:
        raise invalid("reset_interval", "must be daily, weekly or monthly")
    for field in ("allowed_models", "ignored_models", "allowed_providers", "ignored_providers"):
        check_all(field, getattr(rules, field))
    for index, each in enumerate(rules.content_filters or ()):
        check(f"content_filters[{index}].pattern", each.pattern)
        check(f"content_filters[{index}].label", each.label)


def check_limit(field: str, limit: int | None) -> None:
    """
    Raises:
        ApiError: 400, below 0 or more money than there is.
    """
    if limit is not None and not 0 <= limit <= _MOST:
        raise invalid(field, "must be from 0 to 9,000,000,000 US dollars")


def columns_of_key(new: NewKey) -> Columns:
    columns = columns_of_change(
        KeyChange(
            name=new.name,
            is_disabled=False,
            workspace=new.workspace,
            expires_at=new.expires_at,
            limit=new.limit,
            limit_reset=new.limit_reset,
            include_byok_in_limit=new.include_byok_in_limit,
            rates=new.rates,
            priority=new.priority,
            models=new.models,
            providers=new.providers,
        )
    )
    columns["id"] = new.id
    columns["label"] = new.label
    columns["is_management"] = new.is_management
    columns["creator"] = new.creator
    columns["external_user"] = new.external_user
    return columns


def columns_of_change(change: KeyChange) -> Columns:
    """Of what is set alone."""
    columns: Columns = {}
    for column, value in (
        ("name", change.name),
        ("is_disabled", change.is_disabled),
        ("workspace", change.workspace),
        ("expires_at", change.expires_at),
        ("limit_nano", change.limit),
        ("include_byok", change.include_byok_in_limit),
    ):
        if value is not UNSET:
            columns[column] = value
    if change.limit_reset is not UNSET:
        columns["limit_reset"] = change.limit_reset.value
    if change.rates is not UNSET:
        columns["requests_per_min"] = change.rates.requests_per_min
        columns["tokens_per_min"] = change.rates.tokens_per_min
        columns["concurrent"] = change.rates.concurrent
    if change.priority is not UNSET:
        columns["priority"] = int(change.priority)
    if change.models is not UNSET:
        columns["models"] = to_json(change.models)
    if change.providers is not UNSET:
        columns["providers"] = to_json(change.providers)
    return columns


def columns_of_rules(rules: Rules) -> Columns:
    return {
        "limit_nano": rules.limit,
        "limit_reset": None if rules.limit_reset is None else rules.limit_reset.value,
        "include_byok": rules.include_byok_in_budgets,
        "allowed_models": to_json(rules.allowed_models),
        "ignored_models": to_json(rules.ignored_models),
        "allowed_providers": to_json(rules.allowed_providers),
        "ignored_providers": to_json(rules.ignored_providers),
        "other": other_rules.written(rules),
    }
