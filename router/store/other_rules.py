"""The rules of guardrails that have no column of their own: one JSON object, in the words of the API.

Fields that this version does not know are let be, so that an older router can read the rows of a newer one.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from router.protocol.plugins.builtin_filters import AnyFilter, BuiltinFilter
from router.protocol.plugins.content_filter import ContentFilter
from router.protocol.plugins.guardrail_filters import FilterWords
from router.store.rule_records import DataRules, Rules


class _Other(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the object holds; the names of fields are those of the API."""

    content_filters: tuple[FilterWords, ...] | None = None
    content_filter_builtins: tuple[FilterWords, ...] | None = None
    data: DataRules = DataRules()


def written(rules: Rules) -> str:
    """JSON of those of the rules that have no column."""
    other = _Other(_words(rules.content_filters), _words(rules.content_filter_builtins), rules.data)
    return msgspec.json.encode(other).decode()


def with_other(rules: Rules, text: str) -> Rules:
    """The rules, with what `written` has written."""
    other = msgspec.json.decode(text, type=_Other)
    own, builtins = _filters(other.content_filters), _filters(other.content_filter_builtins)
    return replace(
        rules,
        content_filters=None if own is None else tuple(each for each in own if isinstance(each, ContentFilter)),
        content_filter_builtins=(
            None if builtins is None else tuple(each for each in builtins if isinstance(each, BuiltinFilter))
        ),
        data=other.data,
    )


def _words(filters: Sequence[AnyFilter] | None) -> tuple[FilterWords, ...] | None:
    return None if filters is None else tuple(map(FilterWords.of, filters))


def _filters(words: Sequence[FilterWords] | None) -> list[AnyFilter] | None:
    return None if words is None else [each.read() for each in words]
