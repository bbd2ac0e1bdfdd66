"""A key's rows become what the request path knows of it.

Of several guardrails, each allow-list must be met (they intersect), everything that any of them ignores is ignored, and
every budget counts for itself. All filters count, each with the strictest action that any of them gives it, and so does
every demand about what may be done with data. Budgets are in the order in which they are checked: guardrails' by age,
the workspace's by length, then the key's own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from router.policy.data_policy import FAMILIES, DataPolicy
from router.policy.key import Budget, Interval, Key, Scope
from router.protocol.plugins.builtin_filters import AnyFilter
from router.protocol.plugins.guardrail_filters import to_text, together
from router.store.key_records import KeyRecord
from router.store.rule_records import DataRules, GuardrailRecord, WorkspaceBudget


def resolve(key: KeyRecord, guardrails: Sequence[GuardrailRecord], budgets: Sequence[WorkspaceBudget]) -> Key:
    """
    Args:
        guardrails: that are assigned to it.
        budgets: its workspace's.
    """
    rules = [guardrail.rules for guardrail in guardrails]
    return Key(
        id=key.id,
        name=key.name,
        is_management=key.is_management,
        is_disabled=key.is_disabled,
        expires_at=key.expires_at,
        workspace=key.workspace,
        priority=key.priority,
        rates=key.rates,
        budgets=tuple(_budgets(key, guardrails, budgets)),
        models=_intersection([key.models, *(each.allowed_models for each in rules)]),
        ignored_models=_union(each.ignored_models for each in rules),
        providers=_intersection([key.providers, *(each.allowed_providers for each in rules)]),
        ignored_providers=_union(each.ignored_providers for each in rules),
        filters=_filters(guardrails),
        data_policy=_data_policy([each.data for each in rules]),
    )


def _budgets(
    key: KeyRecord, guardrails: Iterable[GuardrailRecord], budgets: Iterable[WorkspaceBudget]
) -> Iterable[Budget]:
    own = f"key:{key.id}"
    for guardrail in guardrails:
        rules = guardrail.rules
        if rules.limit is not None:
            yield Budget(Scope.GUARDRAIL, own, rules.limit_reset or Interval.LIFETIME, rules.limit, guardrail.id)
    intervals = list(Interval)
    for budget in sorted(budgets, key=lambda each: intervals.index(each.interval)):
        yield Budget(Scope.WORKSPACE, f"workspace:{key.workspace}", budget.interval, budget.limit, budget.id)
    if key.limit is not None:
        yield Budget(Scope.KEY, own, key.limit_reset, key.limit)


def _filters(guardrails: Iterable[GuardrailRecord]) -> tuple[str, ...]:
    found: list[AnyFilter] = []
    for guardrail in guardrails:
        rules = guardrail.rules
        found += [replace(each, guardrail=guardrail.id) for each in rules.content_filters or ()]
        found += [replace(each, guardrail=guardrail.id) for each in rules.content_filter_builtins or ()]
    return tuple(map(to_text, together(found)))


def _data_policy(rules: Sequence[DataRules]) -> DataPolicy:
    return DataPolicy(
        zdr=frozenset(name for name in FAMILIES if any(getattr(each, f"enforce_zdr_{name}") is True for each in rules)),
        denies_free_training=any(each.enable_free_model_training is False for each in rules),
        denies_paid_training=any(each.enable_paid_model_training is False for each in rules),
    )


def _intersection(lists: Iterable[Sequence[str] | None]) -> frozenset[str] | None:
    demands = [frozenset(each) for each in lists if each is not None]
    return frozenset.intersection(*demands) if demands else None


def _union(lists: Iterable[Sequence[str] | None]) -> frozenset[str]:
    return frozenset(text for each in lists for text in each or ())
