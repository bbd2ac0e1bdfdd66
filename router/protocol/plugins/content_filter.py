"""Filters of what users write: patterns that are blocked, made unreadable, or noted.

An operator's pattern is run over every prompt, and prompts are hostile: so patterns are compiled by RE2, whose time is
linear in the text whatever the pattern. What it cannot do (look-around, back-references) is refused, as OpenRouter
refuses it. Each filter is data that can be stored as JSON.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, Literal

import re2  # type: ignore[import-untyped]

from router.protocol.errors import invalid

MOST_PATTERN_CHARS = 100_000  # OpenRouter's bound
_MOST_MEMORY = 8_388_608  # bytes that RE2 may take for a pattern; past it a pattern is refused as too large
_LABEL_CHARS = 100  # OpenRouter's
_KEPT_PATTERNS = 512  # compiled ones; an operator has tens
REDACTED = "[REDACTED]"

Scope = Literal["user_only", "all_messages"]


class Action(IntEnum):
    """What is done where a pattern is found; the higher wins."""

    FLAG = 0
    REDACT = 1
    BLOCK = 2


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """A pattern, and what is done where it is found."""

    pattern: str
    action: Action = Action.BLOCK
    label: str = ""  # what stands in the place of what is redacted, and what findings are called
    guardrail: str | None = None  # the id of the one that it is of


@dataclass(frozen=True, slots=True)
class Found:
    """Where a filter matched."""

    start: int
    end: int


def read_filter(value: object, path: str) -> ContentFilter:
    """An entry of `content_filters`, decoded: `{pattern, action, label}`.

    Raises:
        ApiError: 400, naming the field.
    """
    if not isinstance(value, dict):
        raise invalid(path, "must be an object with a pattern and an action")
    pattern, label = value.get("pattern"), value.get("label")
    if not isinstance(pattern, str) or not pattern:
        raise invalid(f"{path}.pattern", "must be a regular expression")
    if not isinstance(label, str | None) or len(label or "") > _LABEL_CHARS or not (label or "").isprintable():
        raise invalid(f"{path}.label", f"must be a string of at most {_LABEL_CHARS} printable characters")
    content_filter = ContentFilter(pattern, read_action(value.get("action"), f"{path}.action"), label or "")
    check_filter(content_filter, f"{path}.pattern")
    return content_filter


def read_action(value: object, path: str) -> Action:
    """Raises ApiError 400."""
    actions = {action.name.lower(): action for action in Action}
    if not isinstance(value, str) or value not in actions:
        raise invalid(path, "must be redact, block or flag")
    return actions[value]


def check_filter(content_filter: ContentFilter, path: str) -> None:
    """Can its pattern be run? Raises ApiError 400, naming `path`."""
    if len(content_filter.pattern) > MOST_PATTERN_CHARS:
        raise invalid(path, f"at most {MOST_PATTERN_CHARS} characters, got {len(content_filter.pattern)}")
    try:
        compiled(content_filter.pattern)
    except re2.error as error:
        told = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error.args[0])
        problem = f"not a pattern that can be run: {told[:200]} (no look-around, no back-references)"
        raise invalid(path, problem) from None


@lru_cache(maxsize=_KEPT_PATTERNS)
def compiled(pattern: str) -> Any:
    """RE2's pattern. Raises re2.error."""
    options = re2.Options()
    options.max_mem = _MOST_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)


def matches(content_filter: ContentFilter, text: str) -> list[Found]:
    """Where it is found, from left to right; empty matches count for nothing."""
    return [
        Found(found.start(), found.end())
        for found in compiled(content_filter.pattern).finditer(text)
        if found.end() > found.start()
    ]
