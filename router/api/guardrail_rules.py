"""Guardrails' rules about content and data, as the API reads and shows them: filters, retention, training."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from router.protocol.errors import invalid
from router.protocol.plugins.builtin_filters import BuiltinFilter, read_builtin
from router.protocol.plugins.content_filter import ContentFilter, read_filter
from router.store.rule_records import DataRules, Rules

# Each is looked for in every message of every request; sixty-four of them are long lists already.
MOST_FILTERS = 64
_ZDR = ("enforce_zdr_anthropic", "enforce_zdr_google", "enforce_zdr_openai", "enforce_zdr_other", "enforce_zdr_xai")
_TRAINING = ("enable_free_model_training", "enable_paid_model_training")
FilterAction = Literal["redact", "block", "flag"]
Switch = bool | UnsetType | None


class ContentFilterEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A pattern in RE2's language, looked for in what messages say."""

    pattern: Annotated[str, Meta(min_length=1, max_length=100_000)]
    action: FilterAction
    label: Annotated[str, Meta(max_length=100)] | None = None


class ContentFilterBuiltinEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A filter that comes with the router. Its label is its own: what is sent as `label` is let be."""

    slug: str
    action: FilterAction
    scan_scope: Literal["user_only", "all_messages"] | None = None
    label: Annotated[str, Meta(max_length=100)] | None = None


class OtherRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Part of a guardrail's body. What is missing stays as it is."""

    content_filters: Annotated[tuple[ContentFilterEntry, ...], Meta(max_length=MOST_FILTERS)] | UnsetType | None = UNSET
    content_filter_builtins: (
        Annotated[tuple[ContentFilterBuiltinEntry, ...], Meta(max_length=MOST_FILTERS)] | UnsetType | None
    ) = UNSET
    enable_free_model_training: Switch = UNSET
    enable_paid_model_training: Switch = UNSET
    enforce_zdr: Switch = UNSET  # for all of the five that are missing
    enforce_zdr_anthropic: Switch = UNSET
    enforce_zdr_google: Switch = UNSET
    enforce_zdr_openai: Switch = UNSET
    enforce_zdr_other: Switch = UNSET
    enforce_zdr_xai: Switch = UNSET

    def others_over(self, rules: Rules) -> Rules:
        """Those rules, with what is said here. Raises ApiError 400."""
        if self.content_filters is not UNSET:
            rules = replace(rules, content_filters=_own(self.content_filters or ()))
        if self.content_filter_builtins is not UNSET:
            rules = replace(rules, content_filter_builtins=_builtins(self.content_filter_builtins or ()))
        return replace(rules, data=self._data(rules.data))

    def _data(self, data: DataRules) -> DataRules:
        said = {name: getattr(self, name) for name in _TRAINING}
        said |= {name: self.enforce_zdr if (own := getattr(self, name)) is UNSET else own for name in _ZDR}
        return replace(data, **{name: value for name, value in said.items() if value is not UNSET})


def others_object(rules: Rules) -> dict[str, object]:
    """As the API shows them."""
    own, builtins = rules.content_filters, rules.content_filter_builtins
    return {
        "content_filters": None if own is None else [_own_object(each) for each in own],
        "content_filter_builtins": None if builtins is None else [_builtin_object(each) for each in builtins],
        "enforce_zdr": None,  # OpenRouter's too: the five tell it
        **asdict(rules.data),
    }


def _own(entries: Sequence[ContentFilterEntry]) -> tuple[ContentFilter, ...] | None:
    read: dict[str, ContentFilter] = {}
    for index, entry in enumerate(entries):
        path = f"content_filters[{index}]"
        each = read_filter(msgspec.to_builtins(entry), path)
        if each.pattern in read:
            raise invalid(f"{path}.pattern", "is given twice")
        read[each.pattern] = each
    return tuple(read.values()) or None


def _builtins(entries: Sequence[ContentFilterBuiltinEntry]) -> tuple[BuiltinFilter, ...] | None:
    read: dict[str, BuiltinFilter] = {}
    for index, entry in enumerate(entries):
        path = f"content_filter_builtins[{index}]"
        each = read_builtin(msgspec.to_builtins(entry), path)
        if each.slug in read:
            raise invalid(f"{path}.slug", "is given twice")
        read[each.slug] = each
    return tuple(read.values()) or None


def _own_object(each: ContentFilter) -> dict[str, object]:
    return {"pattern": each.pattern, "action": each.action.name.lower(), "label": each.label or None}


def _builtin_object(each: BuiltinFilter) -> dict[str, object]:
    return {
        "slug": each.slug,
        "action": each.action.name.lower(),
        "label": each.label,
        "scan_scope": each.scan_scope,
    }
