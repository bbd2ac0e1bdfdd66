"""How a JSON text is built: how deep, of how many objects, arrays and strings. Bounded before anything is parsed.

Parsers recurse over depth, and make of each empty object a value of a hundred bytes: four megabytes of `{},` would be
hundreds in the engine. Time is linear in the text; ordinary requests, with few brackets, are let through at once.
"""

import re

from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits

_AT_ONCE = 262_144  # bytes; a text this small cannot hold more strings than the default bound
_NO_BRACKETS_OR_QUOTES = bytes(set(range(256)) - set(b'[]{}"'))
_STRING = re.compile(rb'"[^"]*"')
_OPENING = frozenset(b"[{")


def check_structure(raw: bytes, limits: Limits) -> None:
    """Check JSON, or what claims to be, against the limits.

    Raises:
        ApiError: 413 too much text; 400 nested too deeply, or too many containers or strings.
    """
    if len(raw) > limits.text_bytes:
        message = f"The request holds more than {limits.text_bytes} bytes besides its images."
        raise ApiError("payload_too_large", message, limit="text_bytes")
    few = limits.json_depth // 2
    if len(raw) <= _AT_ONCE and not _holds_more(raw, b"{", few) and not _holds_more(raw, b"[", few):
        return
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = raw.translate(None, _NO_BRACKETS_OR_QUOTES)
    if marks.count(b'"') > 2 * limits.json_strings:
        raise _refused(f"more than {limits.json_strings} strings", "json_strings")
    brackets = _STRING.sub(b"", marks)
    if len(brackets) > 2 * limits.json_containers:
        raise _refused(f"more than {limits.json_containers} objects and arrays", "json_containers")
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in _OPENING else -1
        if depth > limits.json_depth:
            raise _refused(f"nested deeper than {limits.json_depth} levels", "json_depth")


def _refused(problem: str, limit: str) -> ApiError:
    return invalid("body", problem, limit=limit)


def _holds_more(raw: bytes, byte: bytes, bound: int) -> bool:
    """More than `bound` times? Stops there, and is far quicker than `bytes.count` on long texts."""
    position = -1
    for _ in range(bound + 1):
        position = raw.find(byte, position + 1)
        if position < 0:
            return False
    return True
