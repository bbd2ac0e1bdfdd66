"""An answer given once more: the same but for its id and time, a usage of nothing, and no word of how it was routed."""

from dataclasses import dataclass

import msgspec

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.usage import usage_object
from router.protocol.wire import read

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DATA = b"data: "
# Raw quotes: within a text they would be escaped, so neither of these is ever found in one
_TO_PARSE = (b'"usage":', b'"openrouter_metadata":')


@dataclass(frozen=True, slots=True)
class Name:
    """What an answer is known by."""

    generation_id: str
    created: int  # Unix time, seconds


def replay_whole(body: bytes, name: Name) -> bytes:
    """A whole completion under another name."""
    return _rewritten(body, name)


def replay_stream(events: bytes, before: Name, name: Name) -> bytes:
    """All events of a stream under another name; comments are left out.

    `before`: what the answer was called when it was recorded.
    """
    prefix, now = (_DATA + b'{"id":' + msgspec.json.encode(each.generation_id) for each in (before, name))
    old_time, new_time = (b'"created":%d,' % each.created for each in (before, name))
    out: list[bytes] = []
    for event in events.split(b"\n\n"):
        if not event.startswith(_DATA):
            continue
        if any(mark in event for mark in _TO_PARSE) or (b"{" in event and not event.startswith(prefix)):
            event = _DATA + _rewritten(event[len(_DATA) :], name)
        else:
            event = event.replace(prefix, now, 1).replace(old_time, new_time, 1)
        out.append(event)
    return b"\n\n".join([*out, b""])


def _rewritten(raw: bytes, name: Name) -> bytes:
    fields: dict[str, object] = read(_fields, raw)
    fields.pop("openrouter_metadata", None)
    fields |= {"id": name.generation_id, "created": name.created}
    if "usage" in fields:
        fields["usage"] = usage_object(Usage(0, 0), Price())
    return msgspec.json.encode(fields)
