"""Filters that need no pattern of the operator: what personal data and secrets look like, and attempts at injection.

`person-name` and `address` are in OpenRouter's list as well. No pattern can tell them from other words, so they are
refused here rather than half kept.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from router.protocol.errors import invalid
from router.protocol.plugins.content_filter import Action, ContentFilter, Found, Scope, matches, read_action

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "email": "[EMAIL]",
        "phone": "[PHONE]",
        "ssn": "[SSN]",
        "credit-card": "[CREDIT_CARD]",
        "ip-address": "[IP_ADDRESS]",
        "secrets": "[REDACTED]",
        "regex-prompt-injection": "[PROMPT_INJECTION]",
    }
)
_UNKEPT = ("person-name", "address")

_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "email": r"(?i)\b[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}\b",
        # with a country's code, or written in groups: bare runs of digits are mostly something else
        "phone": r"\+[1-9][0-9]{0,2}(?:[ .()-]{0,2}[0-9]{2,4}){2,5}\b"
        r"|\(?\b[0-9]{3}\)?[ .-][0-9]{3}[.-][0-9]{4}\b|\b0[0-9]{1,4}[ /-][0-9]{5,9}\b",
        "ssn": r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
        "credit-card": r"\b[0-9](?:[ -]?[0-9]){12,18}\b",
        "ip-address": r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\b"
        r"|\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b"
        r"|\b(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}\b",
        # forms that their makers publish, so that secrets are told from other long words
        "secrets": r"\bsk-(?:or-v1-|ant-|proj-)?[A-Za-z0-9_-]{20,200}\b"  # OpenAI, Anthropic, OpenRouter
        r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
        r"|\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{22,255}\b"
        r"|\bglpat-[A-Za-z0-9_-]{20,64}\b|\bhf_[A-Za-z0-9]{30,64}\b|\bnpm_[A-Za-z0-9]{36}\b"
        r"|\bxox[abprs]-[A-Za-z0-9-]{10,250}\b|\bAIza[0-9A-Za-z_-]{35}\b"  # Slack, Google
        r"|\b[rs]k_live_[0-9a-zA-Z]{24,99}\b"  # Stripe
        r"|\beyJ[A-Za-z0-9_-]{10,900}\.eyJ[A-Za-z0-9_-]{10,900}\.[A-Za-z0-9_-]{10,900}"  # JSON web token
        r"|-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----",
        # OWASP's cheat sheet of prompt injection
        "regex-prompt-injection": r"(?i)\bignore\s+(?:all\s+|any\s+)?(?:of\s+)?(?:the\s+|your\s+|my\s+)?"
        r"(?:previous|prior|above|earlier|preceding)\s+(?:instruction|prompt|direction|rule|message)s?"
        r"|\b(?:disregard|forget|override|bypass)\s+(?:all\s+|any\s+)?(?:of\s+)?(?:the\s+|your\s+)?"
        r"(?:previous\s+|prior\s+|above\s+|system\s+|safety\s+)?(?:instruction|prompt|guideline|rule|restriction)s?"
        r"|\byou\s+are\s+now\s+(?:in\s+)?(?:developer|dan|god|admin|jailbreak|unrestricted)\b"
        r"|\b(?:reveal|show|print|repeat|output|leak)\s+(?:me\s+)?(?:your|the)\s+"
        r"(?:system|initial|hidden|original)\s+(?:prompt|instruction|message)s?"
        r"|\bsystem\s+override\b|\bdeveloper\s+mode\s+(?:enabled|on)\b",
    }
)
_TYPOS = {  # first and last letter in place, those between in any order (typoglycemia)
    "".join((word[0], *sorted(word[1:-1]), word[-1])): word
    for word in "ignore previous instructions disregard bypass override reveal system prompt forget".split()
}
_WORD = re.compile(r"[a-zA-Z]{5,12}")
_SPACED = re.compile(r"\b(?:[a-zA-Z][ .-]){4,200}[a-zA-Z]\b")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,8192}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){16,4096}")


@dataclass(frozen=True, slots=True)
class BuiltinFilter:
    """One that is named."""

    slug: str
    action: Action = Action.BLOCK
    scan_scope: Scope = "all_messages"
    guardrail: str | None = None  # the id of the one that it is of

    @property
    def label(self) -> str:
        """What stands in the place of what is redacted."""
        return LABELS[self.slug]


# What the plugin `moderation` notes where no guardrail says otherwise: nothing is kept back, and the caller is told.
MODERATION = (
    BuiltinFilter("secrets", Action.FLAG, "user_only"),
    BuiltinFilter("regex-prompt-injection", Action.FLAG, "user_only"),
)
AnyFilter: TypeAlias = BuiltinFilter | ContentFilter


def read_builtin(value: object, path: str) -> BuiltinFilter:
    """An entry of `content_filter_builtins`, decoded: `{slug, action, scan_scope}`.

    Raises:
        ApiError: 400, naming the field.
    """
    if not isinstance(value, dict):
        raise invalid(path, "must be an object with a slug and an action")
    slug = value.get("slug")
    if slug in _UNKEPT:
        problem = f"{slug!r} is not offered: telling names and addresses needs a model; send content_filters"
        raise invalid(f"{path}.slug", problem)
    if not isinstance(slug, str) or slug not in LABELS:
        raise invalid(f"{path}.slug", f"must be one of {', '.join(LABELS)}")
    action = read_action(value.get("action"), f"{path}.action")
    match value.get("scan_scope"):
        case None | "all_messages":
            return BuiltinFilter(slug, action)
        case "user_only":
            return BuiltinFilter(slug, action, "user_only")
        case _:
            raise invalid(f"{path}.scan_scope", "must be user_only or all_messages")


def builtin_matches(slug: str, text: str) -> list[Found]:
    """Where a built-in filter finds something."""
    found = matches(ContentFilter(_PATTERNS[slug]), text)
    check = _CHECKS.get(slug)
    if check is not None:
        found = [each for each in found if check(text[each.start : each.end])]
    if slug == "regex-prompt-injection":
        found += _hidden(text)
    return found


def _is_card(text: str) -> bool:
    """By the check digit that all cards have (Luhn, ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0 and any(digits)


def _is_ssn(text: str) -> bool:
    """Numbers that the administration never gives out are something else."""
    return text[:3] not in ("000", "666") and text[0] != "9" and text[4:6] != "00" and text[7:] != "0000"


_CHECKS: Mapping[str, Callable[[str], bool]] = MappingProxyType({"credit-card": _is_card, "ssn": _is_ssn})


def _hidden(text: str) -> list[Found]:
    """Injections that are spelt wrongly, spaced out or encoded, so that patterns pass them by and models do not."""
    found: list[Found] = []
    righted = _WORD.sub(_right, text)  # as long as the text, letter by letter
    if righted != text:
        found += _injections(righted)
    for spaced in _SPACED.finditer(text):
        if any(word in spaced[0][::2].lower() for word in ("ignore", "bypass", "override", "reveal", "disregard")):
            found.append(Found(spaced.start(), spaced.end()))
    for encoded, decode in ((_BASE64, base64.b64decode), (_HEX, bytes.fromhex)):
        for piece in encoded.finditer(text):
            if _injections(_decoded(piece[0], decode)):
                found.append(Found(piece.start(), piece.end()))
    return found


def _injections(text: str) -> list[Found]:
    return matches(ContentFilter(_PATTERNS["regex-prompt-injection"]), text)


def _right(word: re.Match[str]) -> str:
    lowered = word[0].lower()
    meant = _TYPOS.get("".join((lowered[0], *sorted(lowered[1:-1]), lowered[-1])), lowered)
    return word[0] if meant == lowered else meant


def _decoded(text: str, decode: Callable[[str], bytes]) -> str:
    try:
        return decode(text).decode()
    except ValueError:  # binascii's and Unicode's are
        return ""
