"""What a status, a header or a failed exchange means: an Outcome. `headers` have names in lower case."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from router.policy.outcome import Outcome, Phase, Verdict
from router.upstream.failed import ConnectTimeout, Failed

_OWN_CREDENTIALS = frozenset({401, 403, 407})


def of_status(status: int, retry_after_s: float | None) -> Outcome:
    """The verdict on a status other than 200. Engines redirect nobody, so 3xx is nonsense as 1xx and 2xx are."""
    if status == 429:
        return Outcome(Verdict.RATE_LIMITED, status, "HTTP 429", retry_after_s)
    if status == 503:
        return Outcome(Verdict.OVERLOADED, status, "HTTP 503", retry_after_s)
    if status in _OWN_CREDENTIALS:  # clients' keys never get here: it is the router that was refused
        return Outcome(Verdict.UNAVAILABLE, status, f"HTTP {status}: the router's own credentials were refused")
    if 400 <= status < 500:
        return Outcome(Verdict.REJECTED, status, f"HTTP {status}")
    return Outcome(Verdict.UNAVAILABLE, status, f"HTTP {status}", retry_after_s)


def of_head(status: int, headers: Mapping[str, str], now: float, longest_s: float) -> Outcome:
    """The verdict on an engine's head other than 200, at Unix time `now`; no wait is longer than `longest_s`."""
    return of_status(status, retry_after(headers, now=now, longest_s=longest_s))


def of_answer(headers: Mapping[str, str], *, stream: bool) -> Outcome:
    """The verdict on the head of a 200: is what follows what was asked for?"""
    expected = "text/event-stream" if stream else "application/json"
    found = headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != expected:
        return Outcome(Verdict.UNAVAILABLE, 200, f"the answer is not {expected}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        return Outcome(Verdict.UNAVAILABLE, 200, "the answer is compressed, which was not asked for")
    return Outcome(Verdict.OK, 200)


def retry_after(headers: Mapping[str, str], *, now: float, longest_s: float) -> float | None:
    """Seconds from `Retry-After` (RFC 9110 §10.2.3: seconds or a date; `now` is Unix time), or None.

    Never more than `longest_s`: a mistaken header must not take an endpoint away for a year.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), longest_s) if math.isfinite(seconds) else None


def of_failure(failed: Failed, *, has_begun: bool) -> Outcome:
    """The verdict on an exchange that failed. `has_begun`: was a byte of the body already passed on?"""
    if isinstance(failed, ConnectTimeout):
        return of_clock(Phase.CONNECT)
    return Outcome(Verdict.BROKEN if has_begun else Verdict.UNAVAILABLE, detail=failed.detail)


def of_clock(phase: Phase) -> Outcome:
    """The verdict when one of our clocks ran out."""
    words = {
        Phase.CONNECT: "connecting took too long",
        Phase.FIRST_TOKEN: "no token came in time",
        Phase.IDLE: "the answer stopped coming",
        Phase.TOTAL: "the answer took too long as a whole",
    }
    return Outcome(Verdict.TIMEOUT, detail=words[phase], phase=phase)
