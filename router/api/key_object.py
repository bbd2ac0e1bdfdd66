"""Keys as the API shows them: to those who manage them, and to themselves."""

from collections.abc import Mapping

from router.api.management import interval_word, iso, listed, usd
from router.policy.call import Priority
from router.policy.key import Budget, Key, Rates
from router.store.key_records import KeyRecord, Spent

Json = dict[str, object]


def key_object(record: KeyRecord) -> Json:
    """A key of the database, to a manager."""
    remaining = record.limit_remaining
    return {
        "hash": record.id,
        "label": record.label,
        "name": record.name,
        "disabled": record.is_disabled,
        "limit": None if record.limit is None else usd(record.limit),
        "limit_remaining": None if remaining is None else usd(remaining),
        "limit_reset": interval_word(record.limit_reset),
        "include_byok_in_limit": record.include_byok_in_limit,
        **_usage(record.spent),
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
        "last_used_at": iso(record.last_used_at),
        "expires_at": iso(record.expires_at),
        "creator_user_id": record.creator,
        "external_user": record.external_user,
        "workspace_id": record.workspace,
        "is_management": record.is_management,
        "rates": _rates(record.rates),
        "priority": _priority(record.priority),
        "allowed_models": listed(record.models),
        "allowed_providers": listed(record.providers),
    }


def own_object(key: Key, record: KeyRecord | None, spent: Mapping[str, Spent], unix_s: float) -> Json:
    """A key, to itself: all that holds for it.

    Args:
        key: who asks.
        record: its row, if it has one.
        spent: of its owners.
        unix_s: now.
    """
    own = spent.get(key.owners[0], Spent())
    budgets = [_budget(budget, spent.get(budget.owner, Spent()), unix_s) for budget in key.budgets]
    limit = next((each for each in budgets if each["scope"] == "key_limit"), None)
    return {
        "label": key.name if record is None else record.label,
        "name": key.name,
        "limit": None if limit is None else limit["limit_usd"],
        "limit_remaining": None if limit is None else limit["remaining_usd"],
        "limit_reset": None if limit is None else limit["reset_interval"],
        "include_byok_in_limit": record is not None and record.include_byok_in_limit,
        **_usage(own),
        "budgets": budgets,
        "effective_budget": _effective(key.budgets, budgets, spent),
        "is_management_key": key.is_management,
        "is_provisioning_key": key.is_management,
        "is_free_tier": False,
        "allowed_data_regions": ["global"],
        "free_model_daily_requests": {"limit": 0, "used": 0, "remaining": 0},
        "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated and safe to ignore."},
        "organization_id": None,
        "creator_user_id": None if record is None else record.creator,
        "workspace_id": key.workspace,
        "expires_at": iso(key.expires_at),
        "rates": _rates(key.rates),
        "priority": _priority(key.priority),
        "allowed_models": listed(key.models),
        "ignored_models": sorted(key.ignored_models),
        "allowed_providers": listed(key.providers),
        "ignored_providers": sorted(key.ignored_providers),
    }


def _budget(budget: Budget, spent: Spent, unix_s: float) -> Json:
    used = spent.over(budget.interval)
    scope = budget.scope.value
    return {
        "scope": scope,
        "limit_usd": usd(budget.limit),
        "spend_usd": usd(used),
        "remaining_usd": usd(budget.limit - used),
        "reset_interval": interval_word(budget.interval),
        "resets_at": iso(budget.interval.end(unix_s)),
        "include_byok": False,
        "budget_id": budget.id if scope == "workspace" else None,
        "guardrail_id": budget.id if scope == "api_key" else None,
    }


def _effective(budgets: tuple[Budget, ...], shown: list[Json], spent: Mapping[str, Spent]) -> Json | None:
    """The one that refuses first: the first that is spent, else the one with the least left."""
    left = [budget.limit - spent.get(budget.owner, Spent()).over(budget.interval) for budget in budgets]
    if not left:
        return None
    first = next((index for index, amount in enumerate(left) if amount <= 0), left.index(min(left)))
    return shown[first]


def _usage(spent: Spent) -> Json:
    return {
        "usage": usd(spent.total),
        "usage_daily": usd(spent.daily),
        "usage_weekly": usd(spent.weekly),
        "usage_monthly": usd(spent.monthly),
        "byok_usage": 0.0,
        "byok_usage_daily": 0.0,
        "byok_usage_weekly": 0.0,
        "byok_usage_monthly": 0.0,
    }


def _rates(rates: Rates) -> Json:
    return {
        "requests_per_min": rates.requests_per_min,
        "tokens_per_min": rates.tokens_per_min,
        "concurrent": rates.concurrent,
    }


def _priority(priority: Priority) -> str:
    return priority.name.lower()
