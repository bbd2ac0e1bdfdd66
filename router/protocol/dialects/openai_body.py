"""A request as OpenAI's API has it, for OpenAI, Mistral, OpenRouter, another Tramontane and their like.

The caller's own bytes, without what only vLLM knows. Raw JSON is passed on; of images there is one copy, the body.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from router.policy.call import Call
from router.policy.catalog import Pool
from router.protocol.dialects.allowed import options, parameters
from router.protocol.dialects.openai_messages import tidy
from router.protocol.dialects.source import Pieces, Source
from router.protocol.dialects.words import Conversation, Said, Words

_USAGE = b'{"include_usage":true}'
# By kind of request: the route, and what makes it up; these fields go whatever a pool obeys.
_ROUTES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "chat": ("/chat/completions", ()),
        "completions": ("/completions", ("prompt",)),
        "embeddings": ("/embeddings", ("input", "dimensions", "encoding_format")),
        "rerank": ("/rerank", ("query", "documents", "top_n")),
    }
)


class _Kind(msgspec.Struct):
    type: str = ""


_kind = msgspec.json.Decoder(_Kind)


def write_openai(source: Source, call: Call, pool: Pool, words: Words) -> Said:
    """The request for one provider."""
    path, content = _ROUTES[source.kind]
    fields: dict[str, bytes] = {name: bytes(source.fields[name]) for name in content if name in source.fields}
    if source.kind == "chat":
        messages = source.messages(is_normalised=words.conversation is Conversation.MISTRAL)
        fields["messages"] = tidy(messages, keeps_reasoning="reasoning" in pool.parameters)
        fields |= _tools(source, pool)
    fields |= parameters(source, pool) | _response_format(source, pool)
    if call.max_tokens is not None:
        fields["max_tokens"] = b"%d" % call.max_tokens
    if "user" in pool.parameters and (user := source.user(words.user_key)) is not None:
        fields["user"] = msgspec.json.encode(user)
    if call.stream:
        fields["stream"] = b"true"
        if words.asks_usage:
            fields["stream_options"] = _USAGE
    named = {words.renames.get(name, name): raw for name, raw in fields.items()}
    named |= {name: bytes(raw) for name, raw in options(source, pool).items() if name not in named}
    body: Pieces = [b'{"model":', msgspec.json.encode(pool.upstream_model)]
    for name, raw in named.items():
        if name:
            body += (b",", msgspec.json.encode(name), b":", *source.pieces(raw))
    body.append(b"}")
    return Said(path, b"".join(body))


def _tools(source: Source, pool: Pool) -> dict[str, bytes]:
    """Both fields as they came; an empty array of tools counts as none, which OpenAI would refuse."""
    tools, choice = source.raw("tools"), source.raw("tool_choice")
    if tools is None or not tools[1:-1].strip() or "tools" not in pool.parameters:
        return {}
    if choice is None or "tool_choice" not in pool.parameters:
        return {"tools": tools}
    return {"tools": tools, "tool_choice": choice}


def _response_format(source: Source, pool: Pool) -> dict[str, bytes]:
    raw = source.raw("response_format")
    if raw is None or "response_format" not in pool.parameters or _kind.decode(raw).type == "text":
        return {}
    return {"response_format": raw}
