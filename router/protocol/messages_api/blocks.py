"""Blocks of a streamed message: one after the other, whatever order the pieces come in.

Chats mix pieces: of a text and of several tool calls, each known by its index. Of a message's blocks only one is open
at a time. So the first block that is not closed yet is given out as its pieces come, and pieces of others wait. It
closes when something else comes: a text at once (what follows of it begins a new block), a tool call as soon as its
arguments are whole, else with the end of the message.
"""

from collections import deque
from dataclasses import dataclass, field

import msgspec

from router.protocol.messages_api.wire import Call
from router.protocol.wire import read

TEXT, THINKING, TOOL = "text", "thinking", "tool_use"
_TRIES = 16  # looks at whether one call's arguments are whole: each reads all of them
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])

_DELTAS = {TEXT: (b"text_delta", b"text"), THINKING: (b"thinking_delta", b"thinking")}
_STARTS: dict[str, dict[str, object]] = {
    TEXT: {"type": "text", "text": "", "citations": None},
    THINKING: {"type": "thinking", "thinking": "", "signature": ""},
}


def event(name: bytes, data: bytes) -> bytes:
    """One server-sent event."""
    return b"event: " + name + b"\ndata: " + data + b"\n\n"


def tool_block(call_id: str, name: str, given: object) -> dict[str, object]:
    """A block of a tool call."""
    return {"type": TOOL, "id": call_id, "name": name, "input": given, "caller": {"type": "direct"}}


@dataclass(slots=True)
class _Block:
    kind: str
    call: int = -1  # index of the tool call
    id: str = ""
    name: str = ""
    waiting: list[bytes] = field(default_factory=list)  # raw JSON strings
    arguments: list[str] = field(default_factory=list)  # all of a call's
    tries: int = _TRIES
    is_open: bool = False

    def is_whole(self) -> bool:
        """Can nothing more come of it, so far as can be told?"""
        if self.kind != TOOL:
            return True
        if not self.tries:
            return False
        self.tries -= 1
        try:
            read(_object, "".join(self.arguments).encode())
        except ValueError:
            return False
        return True


class Blocks:
    """Of one message."""

    def __init__(self, fallback_id: str) -> None:
        """`fallback_id`: begins the ids of tool calls that come without one."""
        self._fallback_id = fallback_id
        self._queue: deque[_Block] = deque()  # the first may be open
        self._calls: dict[int, _Block] = {}
        self._closed = 0  # blocks

    @property
    def has_calls(self) -> bool:
        """Of tools."""
        return bool(self._calls)

    def say(self, kind: str, text: bytes) -> bytes:
        """More of a text or of thinking, as a JSON string. Gives the events that are due."""
        last = self._queue[-1] if self._queue else None
        if last is None or last.kind != kind:
            last = _Block(kind)
            self._queue.append(last)
        last.waiting.append(text)
        return self._advance()

    def call(self, piece: Call) -> bytes:
        """More of a tool call. Gives the events that are due."""
        index = piece.index or 0
        block = self._calls.get(index)
        if block is None:
            block = _Block(TOOL, index)
            self._calls[index] = block
            self._queue.append(block)
        block.id = block.id or piece.id or ""
        block.name = block.name or piece.name
        if piece.arguments:
            block.arguments.append(piece.arguments)
            block.waiting.append(msgspec.json.encode(piece.arguments))
        return self._advance()

    def end(self) -> bytes:
        """All that is left."""
        events = []
        while self._queue:
            events += [self._open(), self._flushed(), self._close()]
        return b"".join(events)

    def _advance(self) -> bytes:
        events = [self._open(), self._flushed()]
        while len(self._queue) > 1 and self._queue[0].is_whole():
            events += [self._close(), self._open(), self._flushed()]
        return b"".join(events)

    def _open(self) -> bytes:
        block = self._queue[0]
        if block.is_open:
            return b""
        block.is_open = True
        start = _STARTS.get(block.kind) or tool_block(block.id or f"{self._fallback_id}{block.call}", block.name, {})
        content = {"type": "content_block_start", "index": self._closed, "content_block": start}
        return event(b"content_block_start", msgspec.json.encode(content))

    def _flushed(self) -> bytes:
        block = self._queue[0]
        if not block.waiting:
            return b""
        kind, key = _DELTAS.get(block.kind) or (b"input_json_delta", b"partial_json")
        head = b'{"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":' % (self._closed, kind, key)
        events = [event(b"content_block_delta", head + text + b"}}") for text in block.waiting]
        block.waiting.clear()
        return b"".join(events)

    def _close(self) -> bytes:
        self._queue.popleft()
        data = b'{"type":"content_block_stop","index":%d}' % self._closed
        self._closed += 1
        return event(b"content_block_stop", data)
