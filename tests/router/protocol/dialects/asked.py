"""Requests as their parser keeps them for foreign providers."""

import json
from typing import Any

from router.policy.call import Call
from router.policy.catalog import Dialect, Pool
from router.protocol.body import split
from router.protocol.contents import write
from router.protocol.dialects.source import Source
from router.protocol.dialects.words import STANDARD, STANDARD_ANTHROPIC
from router.protocol.fields import CHAT, COMPLETIONS, EMBEDDINGS
from router.protocol.limits import Limits
from router.protocol.mistral import normalise
from router.protocol.read_fields import read_fields
from router.protocol.read_messages import read_messages
from router.protocol.tool_ids import ToolIds
from tests.router.protocol.conversations import user

OPENAI = Pool("burst", "m", "theirs", slug="openai/eu", dialect=Dialect.OPENAI, parameters=STANDARD)
ANTHROPIC = Pool("claude", "m", "theirs", slug="anthropic", dialect=Dialect.ANTHROPIC, parameters=STANDARD_ANTHROPIC)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def chat(*messages: dict[str, Any], **fields: Any) -> tuple[Source, Call]:
    """What a body of `/chat/completions` comes to."""
    raw = json.dumps({"model": "m", "messages": messages or [user()], **fields}).encode()
    return chat_of(raw)


def chat_of(raw: bytes, fetched: dict[str, bytes] | None = None) -> tuple[Source, Call]:
    body = split(raw, Limits())
    fields = read_fields(body, CHAT, Limits())
    messages = read_messages(fields.values["messages"], body, Limits(), "", fetched or {})
    values = fields.values
    call = Call(
        "m",
        max_tokens=values.get("max_completion_tokens", values.get("max_tokens")),
        stream=values.get("stream", False),
    )
    given = {**fields.forwarded, **fields.kept, "messages": messages.raw}
    return Source("chat", given, body, write(normalise(messages.items, ToolIds()))), call


def other(kind: str, **fields: Any) -> tuple[Source, Call]:
    """What a body of another route comes to."""
    body = split(json.dumps({"model": "m", **fields}).encode(), Limits())
    read = read_fields(body, EMBEDDINGS if kind == "embeddings" else COMPLETIONS, Limits())
    return Source(kind, {**read.forwarded, **read.kept}, body), Call("m", max_tokens=fields.get("max_tokens"))
