"""What an endpoint was sent, for a caller who asks (`debug.echo_upstream_body`): the first chunk of a stream.

Media and whoever asked are blotted out, and so is what the router itself added for the engine: salts are secrets.
"""

import re

import msgspec

from router.protocol.chunk import Identity
from router.protocol.wire import read

_MEDIA = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")
_OURS = ("cache_salt", "request_id", "priority")
_THEIRS = ("user", "safety_identifier")
_debug = msgspec.json.Decoder(dict[str, object])
_body = msgspec.json.Decoder(dict[str, object])


def wants_echo(debug: bytes | None) -> bool:
    """`debug`: the request's field, as JSON; None: there is none."""
    return debug is not None and read(_debug, debug).get("echo_upstream_body") is True


def echo_chunk(identity: Identity, kind: str, body: bytes) -> bytes:
    """One event, without choices. `kind`: of chunk; `body`: JSON as it was sent."""
    sent: dict[str, object] = read(_body, body)
    for name in _OURS:
        sent.pop(name, None)
    for name in _THEIRS:
        if name in sent:
            sent[name] = "[REDACTED]"
    return identity.chunk(kind, {"choices": [], "debug": {"echo_upstream_body": _blot(sent)}})


def _blot(value: object) -> object:
    if isinstance(value, str):
        return f"{value[:32].partition(',')[0]},[REDACTED]" if _MEDIA.match(value) else value
    if isinstance(value, list):
        return [_blot(each) for each in value]
    if isinstance(value, dict):
        return {name: _blot(each) for name, each in value.items() if name != "uuid"}
    return value
