"""The path of a request: one spelling for one route. Pure.

Whoever stands in front (a proxy with rules by path) and the router must see the same route. So what could be read as
another path is refused and not resolved: empty and dot segments in any spelling, controls, backslashes, escapes that
are none. An escaped slash stays escaped (`models/author%2Fslug`): it can be part of a name, and never a separator.
"""

import re
from urllib.parse import unquote_to_bytes

from router.front.refusal import Refusal, Refused

PLAIN = re.compile(rb"(?:/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)*/?")  # nothing to look at closer
SEGMENT = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*")
ESCAPED_SLASH = re.compile(rb"%2f", re.IGNORECASE)
BAD_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


def path_of(target: bytes, most_path_bytes: int) -> bytes:
    """The path within a request's target. Raises Refused when it is too long or there is a fragment."""
    if b"#" in target:
        raise Refused(Refusal.BAD_REQUEST_LINE)
    path = target.partition(b"?")[0]
    if len(path) > most_path_bytes:
        raise Refused(Refusal.PATH_TOO_LONG)
    return path


def decode(path: bytes) -> str:
    """The path that routes are compared with. Raises Refused when it could be read in another way."""
    if PLAIN.fullmatch(path):
        return path.decode("ascii")
    segments = path[1:].split(b"/")
    return "/" + "/".join(_decode(segment, i == len(segments) - 1) for i, segment in enumerate(segments))


def _decode(segment: bytes, is_last: bool) -> str:
    if SEGMENT.fullmatch(segment) is None or (not segment and not is_last):
        raise Refused(Refusal.BAD_PATH)
    # Split before decoding, so that no escaped per cent sign makes a new escape.
    parts = [unquote_to_bytes(part) for part in ESCAPED_SLASH.split(segment)]
    try:
        text = b"%2F".join(parts).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Refusal.BAD_PATH) from None
    if BAD_CHARACTERS.search(text) or any(part in (b".", b"..") for part in parts):
        raise Refused(Refusal.BAD_PATH)
    return text
