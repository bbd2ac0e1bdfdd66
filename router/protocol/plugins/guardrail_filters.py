"""Filters of guardrails as they are kept: JSON texts, small and hashable, that are read back where requests are.

Of several guardrails all filters count. The same filter twice is one, with the stricter action (block before redact
before flag), and is told of as the guardrail's whose action it is.
"""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from router.protocol.plugins.builtin_filters import AnyFilter, BuiltinFilter
from router.protocol.plugins.content_filter import Action, ContentFilter, Scope
from router.protocol.wire import read


class FilterWords(msgspec.Struct, frozen=True, omit_defaults=True):
    """A filter in the words of the API; one with a slug is built in."""

    action: str
    pattern: str = ""
    label: str = ""
    slug: str = ""
    scan_scope: Scope = "all_messages"
    guardrail: str | None = None

    @classmethod
    def of(cls, each: AnyFilter) -> "FilterWords":
        action = each.action.name.lower()
        if isinstance(each, BuiltinFilter):
            return cls(action, slug=each.slug, scan_scope=each.scan_scope, guardrail=each.guardrail)
        return cls(action, each.pattern, each.label, guardrail=each.guardrail)

    def read(self) -> AnyFilter:
        """They were checked before they were kept."""
        action = Action[self.action.upper()]
        if self.slug:
            return BuiltinFilter(self.slug, action, self.scan_scope, self.guardrail)
        return ContentFilter(self.pattern, action, self.label, self.guardrail)


_words = msgspec.json.Decoder(FilterWords)


def to_text(each: AnyFilter) -> str:
    return msgspec.json.encode(FilterWords.of(each)).decode()


def from_text(text: str) -> AnyFilter:
    """Raises ValueError, KeyError: `to_text` has not written it."""
    words: FilterWords = read(_words, text.encode())
    return words.read()


def together(filters: Iterable[AnyFilter]) -> tuple[AnyFilter, ...]:
    """Filters of several guardrails, each once. A label stays that of the first."""
    found: dict[tuple[str, str], AnyFilter] = {}
    for each in filters:
        name = (each.slug, each.scan_scope) if isinstance(each, BuiltinFilter) else ("", each.pattern)
        known = found.get(name)
        if known is None:
            found[name] = each
        elif each.action > known.action:
            found[name] = replace(known, action=each.action, guardrail=each.guardrail)
    return tuple(found.values())
