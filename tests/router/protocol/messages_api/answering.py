"""A chat's answers as the gateway gives them out, and messages as Anthropic's own client reads them."""

import json
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import CHAT, DONE, Identity, empty_choice
from router.protocol.messages_api.skin import MessagesSkin
from router.protocol.usage import usage_object

IDENTITY = Identity("gen-1", "author/slug", "local", 1_700_000_000)
COMMENT = b": OPENROUTER PROCESSING\n\n"
USAGE = usage_object(Usage(10, 4, 6), Price(0.1, 0.2))
_events = TypeAdapter[Any](RawMessageStreamEvent)


def chunk(reason: str | None = None, stop_reason: Any = None, index: int = 0, **delta: Any) -> bytes:
    choice = {"index": index, "delta": {"role": "assistant", **delta}, "logprobs": None, "finish_reason": reason}
    more = {} if stop_reason is None else {"stop_reason": stop_reason}
    return IDENTITY.chunk(CHAT, {"choices": [{**choice, "native_finish_reason": reason, **more}]})


def call(index: int, arguments: str | None = None, name: str | None = None, call_id: str | None = None) -> bytes:
    """A piece of a tool call."""
    function = {"name": name, "arguments": arguments}
    said = {"index": index, "id": call_id, "type": "function", "function": function}
    return chunk(tool_calls=[{key: value for key, value in said.items() if value is not None}])


def ending(reason: str = "stop", **more: Any) -> bytes:
    """What a stream ends with."""
    return IDENTITY.chunk(CHAT, {"choices": [empty_choice(CHAT, reason, reason)], "usage": USAGE, **more}) + DONE


def events_of(stream: bytes) -> list[tuple[str, Any]]:
    """Name and data of each event, whose form is checked."""
    read = []
    for event in stream.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        value = json.loads(data[6:])
        assert name[7:] == value["type"]
        read.append((value["type"], value))
    return read


def message_of(stream: bytes) -> dict[str, Any]:
    """What Anthropic's client makes of a stream, each of whose events it must accept."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    opened: list[int] = []
    for name, value in events_of(stream):
        if name == "ping":
            continue
        event = _events.validate_python(value)
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
        if name == "content_block_start":
            assert [value["index"]] == [len(snapshot.content) - 1]
            opened.append(value["index"])
        elif name in ("content_block_delta", "content_block_stop"):
            assert [value["index"]] == opened, "one block at a time"
            if name == "content_block_stop":
                opened.clear()
    assert not opened
    message: dict[str, Any] = snapshot.to_dict()
    return message


def streamed(*chunks: bytes, skin: MessagesSkin | None = None) -> bytes:
    """All that a skin makes of a stream."""
    skin = skin or MessagesSkin(7)
    return b"".join([skin.feed(each) for each in chunks])


def blocks_of(stream: bytes) -> list[dict[str, Any]]:
    """The message's content, without what is always the same."""
    always = ("citations", "caller", "signature")
    return [{key: block[key] for key in block if key not in always} for block in message_of(stream)["content"]]
