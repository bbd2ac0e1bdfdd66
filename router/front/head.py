"""A request's head, judged on its raw bytes and on its headers. Pure: bytes in, refusal out.

The parser behind this (llhttp, strict) already refuses what breaks the grammar of a header line: bare CR and LF, NUL
and other controls, folded lines, blanks before the colon, bad names, Content-Length that is repeated, signed, a list or
beside Transfer-Encoding. What it lets through is refused here: HTTP/0.9 and 2.0, RTSP and ICE, several blanks in the
request line, methods of other protocols, absolute-form, `*`, fragments, a missing or repeated or odd Host, any coding
before `chunked`, chunked in HTTP/1.0, and `Upgrade`, after which it would take the body for the next request.
tests/integration/test_front_door.py has a row for each. Rules: RFC 9110, RFC 9112.
"""

import re
from collections.abc import Sequence

from router.front.refusal import Refusal, Refused
from router.front.settings import FrontSettings

END = b"\r\n\r\n"
MOST_HOST_BYTES = 255  # a host name's limit (RFC 1035); the port is within it here
# The methods that any of our routes could have. `\S+` in the target: what may be in it is target.py's to say.
REQUEST_LINE = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /[\x21-\x7e]* HTTP/1\.[01]\r\n")
BARE_LF = re.compile(rb"(?<!\r)\n")
# Lines that ask for another protocol. A server may ignore them (RFC 9110, 7.8), and Java's client sends them always.
UPGRADE_LINE = re.compile(rb"\r\nupgrade:[^\r\n]*(?=\r\n)", re.IGNORECASE)
_LABEL = rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
HOST = re.compile(rb"(?:%b(?:\.%b)*\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?" % (_LABEL, _LABEL))
REPEATED = {
    b"host": Refusal.BAD_HOST,
    b"content-length": Refusal.BAD_FRAMING,
    b"transfer-encoding": Refusal.BAD_FRAMING,
    b"content-encoding": Refusal.CONTENT_ENCODING,
    b"content-type": Refusal.REPEATED_HEADER,
    b"authorization": Refusal.REPEATED_HEADER,
    b"expect": Refusal.EXPECTATION,
}
ONCE = frozenset(REPEATED)
Headers = Sequence[tuple[bytes, bytes]]


def end_of_head(data: bytes | bytearray, seen: int, settings: FrontSettings) -> int:
    """Where a head ends in what has come since its first byte; 0 when it is not complete.

    Args:
        data: all that has come.
        seen: how much of it was there at the last call, so that a head that comes bytewise is not scanned each time.

    Raises Refused as soon as no continuation could be good.
    """
    end = data.find(END, max(0, seen - 3)) + len(END)
    if end >= len(END):
        if end > settings.head_bytes:
            raise Refused(Refusal.HEAD_TOO_LARGE)
        if REQUEST_LINE.match(data) is None:
            raise Refused(Refusal.BAD_REQUEST_LINE)
        if data.count(b"\n", 0, end) > settings.headers + 2:  # the request line and the empty one
            raise Refused(Refusal.TOO_MANY_HEADERS)
        return end
    if len(data) > settings.head_bytes:
        raise Refused(Refusal.HEAD_TOO_LARGE)
    line_end = data.find(b"\n")
    if not 0x41 <= data[0] <= 0x5A or (line_end >= 0 and REQUEST_LINE.match(data) is None):
        raise Refused(Refusal.BAD_REQUEST_LINE)
    if BARE_LF.search(data, max(0, seen - 1)):
        raise Refused(Refusal.BAD_HTTP)
    return 0


def without_upgrade(data: bytes, end: int) -> bytes:
    """The same bytes, without the lines of the head that ask for another protocol."""
    if b"\nupgrade:" not in data[:end].lower():
        return data
    return UPGRADE_LINE.sub(b"", data[:end]) + data[end:]


def is_chunked(headers: Headers, version: str) -> bool:
    """Does the body end by its chunks?

    Raises Refused when the headers (names in lower case) leave open where the body ends, whose the request is, or ask
    for what is not done.
    """
    given: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in ONCE:
            if name in given:
                raise Refused(REPEATED[name])
            given[name] = value
    host = given.get(b"host")
    if host is None:
        if version != "1.0":
            raise Refused(Refusal.BAD_HOST)
    elif len(host) > MOST_HOST_BYTES or HOST.fullmatch(host) is None:
        raise Refused(Refusal.BAD_HOST)
    if given.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refused(Refusal.CONTENT_ENCODING)
    if version != "1.0" and given.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise Refused(Refusal.EXPECTATION)
    coding = given.get(b"transfer-encoding")
    if coding is None:
        return False
    if coding.lower() != b"chunked" or version == "1.0" or b"content-length" in given:
        raise Refused(Refusal.BAD_FRAMING)
    return True
