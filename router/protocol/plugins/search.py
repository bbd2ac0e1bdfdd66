"""Texts seen through filters: what is redacted is written anew, what blocks and what is noted is counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from router.protocol.errors import ApiError
from router.protocol.plugins.builtin_filters import AnyFilter, BuiltinFilter, builtin_matches
from router.protocol.plugins.content_filter import REDACTED, Action, Found, matches
from router.protocol.plugins.pipeline import Step

SCOPE = "api-key"  # to which guardrails are assigned here


@dataclass(frozen=True, slots=True)
class Finding:
    """How often a filter matched; never what it matched."""

    name: str  # a built-in's slug, or an own filter's label or number
    action: Action
    count: int
    field: str  # where it did first
    guardrail: str | None = None

    def step(self) -> Step:
        """As the router's metadata tells of it."""
        action = self.action.name.lower()
        return Step(
            "guardrail",
            self.name,
            f"{action}: {self.count} matches",
            {"action": action, "matches": self.count},
            self.guardrail,
            None if self.guardrail is None else SCOPE,
        )


class Search:
    """One request's texts, looked at one after the other."""

    def __init__(self, filters: Sequence[AnyFilter]) -> None:
        self._filters = [(each, _name(each, number)) for number, each in enumerate(filters)]
        self._findings: dict[tuple[str, str | None], Finding] = {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings.values())

    def looks_at(self, role: str) -> bool:
        """Is there a filter for messages of this role?"""
        return any(_is_for(each, role) for each, _ in self._filters)

    def text(self, text: str, field: str, role: str = "user") -> str:
        """With labels in place of what is redacted; the very same text if nothing is."""
        hidden: list[tuple[Found, str]] = []
        for each, name in self._filters:
            if not _is_for(each, role):
                continue
            found = builtin_matches(each.slug, text) if isinstance(each, BuiltinFilter) else matches(each, text)
            if not found:
                continue
            known = self._findings.get((name, each.guardrail))
            self._findings[name, each.guardrail] = (
                Finding(name, each.action, len(found), field, each.guardrail)
                if known is None
                else replace(known, count=known.count + len(found), action=max(known.action, each.action))
            )
            if each.action is Action.REDACT:
                hidden += [(place, each.label or REDACTED) for place in found]
        return _without(text, hidden) if hidden else text

    def check(self) -> None:
        """
        Raises:
            ApiError: 403, one of the filters that matched blocks. Its metadata names all that do, and nothing of the
                text.
        """
        blocking = [finding for finding in self.findings if finding.action is Action.BLOCK]
        if blocking:
            names = list(dict.fromkeys(finding.name for finding in blocking))
            raise ApiError(
                "permission_denied",
                f"Request blocked: it matches content filters ({', '.join(names)}).",
                field=blocking[0].field,
                metadata={"patterns": names},
            )


def _name(each: AnyFilter, number: int) -> str:
    return each.slug if isinstance(each, BuiltinFilter) else each.label or f"filter {number + 1}"


def _is_for(each: AnyFilter, role: str) -> bool:
    return role == "user" or not isinstance(each, BuiltinFilter) or each.scan_scope == "all_messages"


def _without(text: str, hidden: list[tuple[Found, str]]) -> str:
    """Labels in place of what they hide; where two overlap, the first says what it was, and both go."""
    pieces: list[str] = []
    end = 0
    for place, label in sorted(hidden, key=lambda pair: (pair[0].start, -pair[0].end)):
        if place.start >= end:
            pieces += (text[end : place.start], label)
        end = max(end, place.end)
    return "".join([*pieces, text[end:]])
