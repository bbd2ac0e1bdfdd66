"""A conversation seen through filters: what is redacted is written anew, the first that blocks refuses the request.

Of each message its texts are looked at, within content parts as well, never its pictures. By scope either those of
users or all: system prompts hold what an operator means to be there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from router.protocol.body import Body
from router.protocol.errors import ApiError
from router.protocol.messages import Message
from router.protocol.plugins.builtin_filters import BuiltinFilter, builtin_matches
from router.protocol.plugins.content_filter import REDACTED, Action, ContentFilter, Found, matches
from router.protocol.plugins.pipeline import Step
from router.protocol.wire import read

AnyFilter = BuiltinFilter | ContentFilter

_string = msgspec.json.Decoder(str)
_parts = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class Finding:
    """How often a filter matched; never what it matched."""

    name: str  # a built-in's slug, or an own filter's label or number
    action: Action
    count: int
    field: str  # of the message where it did first


@dataclass(frozen=True, slots=True)
class Filtered:
    """A conversation, and what was found in it."""

    messages: list[Message]
    findings: tuple[Finding, ...]
    is_changed: bool

    def steps(self, guardrail_id: str | None = None, guardrail_scope: str | None = None) -> list[Step]:
        """As the router's metadata tells of it."""
        return [
            Step(
                "guardrail",
                finding.name,
                f"{finding.action.name.lower()}: {finding.count} matches",
                {"action": finding.action.name.lower(), "matches": finding.count},
                guardrail_id,
                guardrail_scope,
            )
            for finding in self.findings
        ]


def apply_filters(messages: Sequence[Message], filters: Sequence[AnyFilter], body: Body) -> Filtered:
    """Look at a conversation with all filters; own ones look at what users say. `body`: that it came in.

    Raises:
        ApiError: 403, one of them blocks. Its metadata names all that do, and nothing of the text.
    """
    looking = _Looking(tuple((each, _name(each, number)) for number, each in enumerate(filters)), body)
    seen = [looking.message(message) for message in messages]
    blocking = [finding for finding in looking.findings.values() if finding.action is Action.BLOCK]
    if blocking:
        names = [finding.name for finding in blocking]
        raise ApiError(
            "permission_denied",
            f"Request blocked: it matches content filters ({', '.join(names)}).",
            field=blocking[0].field,
            metadata={"patterns": names},
        )
    return Filtered(
        seen, tuple(looking.findings.values()), any(a is not b for a, b in zip(seen, messages, strict=True))
    )


def _name(each: AnyFilter, number: int) -> str:
    return each.slug if isinstance(each, BuiltinFilter) else each.label or f"filter {number + 1}"


class _Looking:
    def __init__(self, filters: tuple[tuple[AnyFilter, str], ...], body: Body) -> None:
        self._filters = filters
        self._body = body
        self.findings: dict[str, Finding] = {}

    def message(self, message: Message) -> Message:
        content = message.content
        if content is None:
            return message
        filters = [
            (each, name)
            for each, name in self._filters
            if message.role == "user" or (isinstance(each, BuiltinFilter) and each.scan_scope == "all_messages")
        ]
        if not filters:
            return message
        field = f"{message.path}.content"
        if content[:1] == b'"':
            seen = self._text(content, filters, field)
            return message if seen is content else replace(message, content=seen)
        parts: list[dict[str, msgspec.Raw]] = read(_parts, content)
        is_changed = False
        for part in parts:
            text = bytes(part.get("text", b""))
            if text and (seen := self._text(text, filters, field)) is not text:
                part["text"] = msgspec.Raw(seen)
                is_changed = True
        return replace(message, content=msgspec.json.encode(parts)) if is_changed else message

    def _text(self, raw: bytes, filters: list[tuple[AnyFilter, str]], field: str) -> bytes:
        """The same bytes if nothing was redacted."""
        looks_like_image = self._body.image(raw)  # a text that begins like one was cut out of the body
        text: str = read(_string, raw if looks_like_image is None else looks_like_image)
        hidden: list[tuple[Found, str]] = []
        for each, name in filters:
            found = builtin_matches(each.slug, text) if isinstance(each, BuiltinFilter) else matches(each, text)
            if not found:
                continue
            known = self.findings.get(name)
            self.findings[name] = (
                Finding(name, each.action, len(found), field)
                if known is None
                else replace(known, count=known.count + len(found), action=max(known.action, each.action))
            )
            if each.action is Action.REDACT:
                hidden += [(place, each.label or REDACTED) for place in found]
        if not hidden:
            return raw
        seen = msgspec.json.encode(_without(text, hidden))
        return seen if looks_like_image is None else self._body.add(seen)


def _without(text: str, hidden: list[tuple[Found, str]]) -> str:
    """Labels in place of what they hide; where two overlap, the first says what it was, and both go."""
    pieces: list[str] = []
    end = 0
    for place, label in sorted(hidden, key=lambda pair: (pair[0].start, -pair[0].end)):
        if place.start >= end:
            pieces += (text[end : place.start], label)
        end = max(end, place.end)
    return "".join([*pieces, text[end:]])
