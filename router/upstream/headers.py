"""Which headers of a request go on to an engine.

Dropped are: what belongs to one connection (RFC 9110 §7.6.1), what describes a body or host that is no longer the
same, and whatever proves who the client is to *us*: an engine must never see a client's key.
"""

from collections.abc import Mapping

_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings",
}  # fmt: skip
_FRAMING = {"accept-encoding", "content-encoding", "content-length", "content-type", "expect", "host"}
_CREDENTIALS = {"api-key", "authorization", "cookie", "proxy-authorization", "x-api-key"}
_DROPPED = frozenset(_HOP_BY_HOP | _FRAMING | _CREDENTIALS)
_LINE_ENDS = frozenset("\r\n\0")


def forwardable(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that may go on. A name or value that could start a new header line is dropped, not repaired."""
    named = next((value for name, value in headers.items() if name.lower() == "connection"), "")
    of_this_hop = {token.strip().lower() for token in named.split(",")}
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in _DROPPED
        and name.lower() not in of_this_hop
        and _LINE_ENDS.isdisjoint(name)
        and _LINE_ENDS.isdisjoint(value)
    }
