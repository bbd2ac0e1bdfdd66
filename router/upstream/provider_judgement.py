"""What the head of a provider's refusal means, and when to come back. `headers` have names in lower case.

Providers tell the time of their limits' renewal in many ways. `Retry-After` counts first; else the latest renewal of
those limits that are used up: OpenAI's `x-ratelimit-reset-requests: 6m0s`, Anthropic's
`anthropic-ratelimit-requests-reset: 2026-01-01T00:00:00Z`, OpenRouter's `x-ratelimit-reset` in Unix milliseconds.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime

from router.policy.outcome import Outcome, Verdict
from router.protocol.dialects.codes import verdict_of
from router.upstream.judgement import retry_after

_OPENAI = ("requests", "tokens")
_ANTHROPIC = ("requests", "tokens", "input-tokens", "output-tokens")
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?")
_MILLISECONDS = 1e11  # a larger number of Unix time is in milliseconds: as seconds it would be in the year 5138


def of_head(status: int, headers: Mapping[str, str], now: float, longest_s: float) -> Outcome:
    """The verdict on a status other than 200, at Unix time `now`. No wait is longer than `longest_s`."""
    verdict = verdict_of(status)
    detail = f"HTTP {status}"
    if verdict is Verdict.UNAVAILABLE and status in (401, 403, 407):
        detail += ": the router's own credentials were refused"
    wait_s = None
    if verdict in (Verdict.RATE_LIMITED, Verdict.OVERLOADED, Verdict.UNAVAILABLE):
        wait_s = wait_of(headers, now, longest_s)
    return Outcome(verdict, status, detail, wait_s)


def wait_of(headers: Mapping[str, str], now: float, longest_s: float) -> float | None:
    """Seconds until another request makes sense, or None where nothing tells."""
    in_ms = _number(headers.get("retry-after-ms", ""))
    if in_ms is not None:
        return _within(in_ms / 1000, longest_s)
    if (given := retry_after(headers, now=now, longest_s=longest_s)) is not None:
        return given
    waits = [
        _duration(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in _OPENAI
        if headers.get(f"x-ratelimit-remaining-{what}", "").strip() == "0"
    ]
    waits += [
        _until(headers.get(f"anthropic-ratelimit-{what}-reset", ""), now)
        for what in _ANTHROPIC
        if headers.get(f"anthropic-ratelimit-{what}-remaining", "").strip() == "0"
    ]
    if (unix := _number(headers.get("x-ratelimit-reset", ""))) is not None and unix > 1e9:
        waits.append((unix / 1000 if unix > _MILLISECONDS else unix) - now)
    known = [wait for wait in waits if wait is not None]
    return _within(max(known), longest_s) if known else None


def _within(seconds: float, longest_s: float) -> float:
    return min(max(seconds, 0.0), longest_s)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _duration(text: str) -> float | None:
    """`1s`, `6m0s`, `1h2m3.5s`, `20ms`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _until(text: str, now: float) -> float | None:
    try:
        return datetime.fromisoformat(text.strip()).timestamp() - now
    except (ValueError, OverflowError):
        return None
