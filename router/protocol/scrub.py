"""Foreign error texts made fit to be shown: no addresses, no paths, no traces, not endless.

Engines put pointers, file names and hosts into their errors; these have been used to break out of image decoders
(CVE-2026-22778) and to map networks.
"""

import re

_MAX_CHARS = 1_000  # longer texts repeat the request's own content
_INPUT_BYTES = 20_000  # looked at before cutting, so that the time is bounded too

_RULES = (
    (re.compile(r"Traceback \(most recent call last\).*", re.DOTALL), "<trace>"),
    (re.compile(r'File "[^"]{0,500}", line \d+(, in \S+)?'), "<trace>"),
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>]+", re.IGNORECASE), "<url>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"), "<address>"),
    (re.compile(r"\[?\b(?:[0-9a-f]{1,4}:){3,7}:?[0-9a-f]{0,4}\b\]?(?::\d{1,5})?", re.IGNORECASE), "<address>"),
    (re.compile(r"\b0x[0-9a-f]{6,}\b", re.IGNORECASE), "<pointer>"),
    (re.compile(r"(?<![\w.<])(?:/[\w.@+-]+){2,}/?"), "<path>"),
    (re.compile(r"\b(?:sk-[\w-]{8,}|Bearer\s+\S{8,})", re.IGNORECASE), "<key>"),
)


def scrub(text: str) -> str:
    """`text` without what callers must not see, at most 1,000 characters."""
    text = text[:_INPUT_BYTES]
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS - 1] + "…"
