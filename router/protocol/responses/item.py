"""One item of an answer's output while it is written: a message, reasoning, or the call of a function."""

from typing import Protocol

import msgspec

from router.protocol.responses.events import Events
from router.protocol.responses.part import Part, PartKind


class Item(Protocol):
    """What all kinds have in common."""

    def close(self, status: bytes) -> None:
        """End it, with its events."""

    def json(self, status: bytes) -> bytes:
        """As far as it has come."""


class Spoken:
    """A message, or reasoning: parts, one after the other, at least one before it is closed."""

    def __init__(self, *, is_reasoning: bool, name: str, index: int, events: Events) -> None:
        """`name`: what is common to all ids of the answer."""
        prefix = "rs" if is_reasoning else "msg"
        self.is_reasoning = is_reasoning
        self._id = f"{prefix}_{name}_{index}".encode()
        self._index = index
        self._events = events
        self._parts: list[Part] = []
        _begin(self, index, events)

    def part(self, kind: PartKind) -> Part:
        """The part to write to; another kind than the last one's begins a new one."""
        if self._parts and self._parts[-1].kind is kind:
            return self._parts[-1]
        if self._parts:
            self._parts[-1].close()
        place = b'"item_id":"%b","output_index":%d,"content_index":%d' % (self._id, self._index, len(self._parts))
        self._parts.append(Part(kind, place, self._events))
        return self._parts[-1]

    def close(self, status: bytes) -> None:
        self._parts[-1].close()
        _end(self, self._index, status, self._events)

    def json(self, status: bytes) -> bytes:
        kind = b'"reasoning","summary":[]' if self.is_reasoning else b'"message","role":"assistant"'
        parts = b",".join([part.json() for part in self._parts])
        return b'{"id":"%b","type":%b,"status":"%b","content":[%b]}' % (self._id, kind, status, parts)


class Called:
    """The call of a function."""

    def __init__(self, call_id: str | None, function: str, *, name: str, index: int, events: Events) -> None:
        """`name`: what is common to all ids of the answer; `call_id`: by which its result will be known."""
        self.call_id = call_id
        self._id = f"fc_{name}_{index}".encode()
        self._head = b'"call_id":%b,"name":%b' % (
            msgspec.json.encode(call_id or f"call_{name}_{index}"),
            msgspec.json.encode(function),
        )
        self._index = index
        self._events = events
        self._place = b'"item_id":"%b","output_index":%d' % (self._id, index)
        self._pieces: list[bytes] = []
        _begin(self, index, events)

    def add(self, arguments: bytes) -> None:
        """A piece of the arguments, the inside of a JSON string."""
        self._pieces.append(arguments)
        self._events.add(b"response.function_call_arguments.delta", b'%b,"delta":"%b"' % (self._place, arguments))

    def close(self, status: bytes) -> None:
        done = b'%b,%b,"arguments":"%b"' % (self._place, self._head, b"".join(self._pieces))
        self._events.add(b"response.function_call_arguments.done", done)
        _end(self, self._index, status, self._events)

    def json(self, status: bytes) -> bytes:
        told = b'{"id":"%b","type":"function_call","status":"%b",%b,"arguments":"%b"}'
        return told % (self._id, status, self._head, b"".join(self._pieces))


def _begin(item: Item, index: int, events: Events) -> None:
    told = b'"output_index":%d,"item":%b' % (index, item.json(b"in_progress"))
    events.add(b"response.output_item.added", told)


def _end(item: Item, index: int, status: bytes, events: Events) -> None:
    events.add(b"response.output_item.done", b'"output_index":%d,"item":%b' % (index, item.json(status)))
