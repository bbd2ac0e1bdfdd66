"""Foreign error texts made fit to be shown: no addresses, no paths, no keys, no traces, not endless.

Engines put pointers, file names and hosts into their errors; these have been used to break out of image decoders
(CVE-2026-22778, CVE-2026-54236) and to map networks. A provider that refuses our key may repeat it.

Every pattern is bounded on both sides or cannot begin within itself, so that the time is linear in the text. What looks
like a secret goes, even if it was none: a word less in an error costs nobody anything.
"""

import re

_MAX_CHARS = 1_000  # longer texts repeat the request's own content
_INPUT_CHARS = 20_000  # looked at before cutting, so that the time is bounded too

_HEX = r"[0-9A-Fa-f]"
_RULES = (
    (re.compile(r"Traceback \(most recent call last\).*", re.DOTALL), "<trace>"),
    (re.compile(r'File "[^"]{0,500}", line \d{1,9}(, in \S{1,200})?'), "<trace>"),
    (re.compile(r"-----BEGIN [A-Z ]{1,40}-----.*", re.DOTALL), "<key>"),
    # what says that a key follows, whatever the key looks like
    (
        re.compile(
            r"\b(?:(?:proxy-)?authorization|x-api-key|api[-_ ]?key|access[-_]key(?:[-_]id)?"
            r"|secret(?:[-_]access[-_]key)?|password|passwd|token|cookie)['\"]?\s{0,3}[:=]\s{0,3}['\"]?(?:(?:bearer|basic|digest)\s{1,3})?[^\s'\",;)}\]]{4,}",
            re.IGNORECASE,
        ),
        "<key>",
    ),
    (re.compile(r"\b(?:bearer|basic)\s{1,3}[\w.~+/=-]{8,}", re.IGNORECASE), "<key>"),
    (
        re.compile(r"(?<![\w-])(?:sk|pk|rk|hf|ghp|gho|ghs|github_pat|glpat|xox[abprs])[-_][\w-]{8,}", re.IGNORECASE),
        "<key>",
    ),
    (re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AIza)[\w-]{12,}"), "<key>"),  # Amazon's and Google's
    (re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"), "<key>"),  # JSON web tokens
    (re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>]+", re.IGNORECASE), "<url>"),
    (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-][\w.-]{0,252}"), "<address>"),
    # of version 6: eight groups, or a "::" among fewer, and a digit; neither 12:30:59 nor a::b
    (
        re.compile(
            rf"\[?(?<![\w:])(?=[A-Fa-f:]{{0,40}}\d)(?=(?:{_HEX}{{0,4}}:){{7}}|{_HEX}{{0,4}}(?::{_HEX}{{1,4}}){{0,6}}::)[0-9A-Fa-f:]{{2,40}}"
            rf"(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|\.\d{{1,3}}(?:\.\d{{1,3}}){{2}})?(?:%[\w.-]{{1,20}})?\]?(?::\d{{1,5}})?"
        ),
        "<address>",
    ),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?!\w)"), "<address>"),
    (re.compile(r"(?<![\w.-])localhost(?::\d{1,5})?(?![\w.-])", re.IGNORECASE), "<address>"),
    (  # names of hosts that only resolve inside
        re.compile(
            r"(?<![\w.-])(?:[a-z0-9_-]{1,63}\.){1,8}(?:local|internal|svc|lan|intranet|cluster|corp)(?::\d{1,5})?(?![\w-])",
            re.IGNORECASE,
        ),
        "<address>",
    ),
    (re.compile(rf"\b0x{_HEX}{{6,}}\b"), "<pointer>"),
    (re.compile(r"(?<![\w\\])\\\\[\w.$-]{1,100}\\[^\s'\"<>|]{1,500}"), "<path>"),  # \\server\share
    (re.compile(r"(?<![A-Za-z0-9])[A-Za-z]:[\\/][^\s'\"<>|]{1,500}"), "<path>"),  # C:\…
    (re.compile(r"(?<![\w./~<-])~?(?:/[\w.@+~-]{1,255}){2,}/?"), "<path>"),
    (re.compile(r"(?<![\w+/=-])[\w+/-]{60,}={0,2}"), "<data>"),  # base64 and hexadecimal: keys, pictures, tensors
)


def scrub(text: str) -> str:
    """`text` without what callers must not see, at most 1,000 characters."""
    text = text[:_INPUT_CHARS]
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS - 1] + "…"
