"""A caller's bytes to a request: what policies may know of it, and the body that an engine gets.

Everything is read once. The engine's body is put together from the caller's own bytes; only what had to change (model,
limits, messages out of order) is written anew.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from router.policy.call import Call
from router.policy.catalog import Pool
from router.protocol.body import Body, split
from router.protocol.contents import write
from router.protocol.errors import invalid
from router.protocol.fields import CHAT, COMPLETIONS
from router.protocol.limits import Limits
from router.protocol.mistral import is_prefill, normalise
from router.protocol.prompt import read_prompt
from router.protocol.read_fields import Fields, read_fields
from router.protocol.read_messages import read_messages
from router.protocol.response_format import engine_fields
from router.protocol.tokens import text_tokens
from router.protocol.tool_ids import ToolIds
from router.protocol.tools import check_tool_choice, check_tools

Pieces: TypeAlias = list[bytes | memoryview]

BYTES_PER_TOKEN = 4.0  # of English text under Tekken; a learned figure is better
_CONTENT = frozenset({"messages", "prompt", "tools", "tool_choice", "response_format"})
_NO_PARAMETERS = frozenset({"model", "models", "messages", "prompt"})


class Request:
    """One checked request. Made by `parse_chat` and `parse_completion`.

    Attributes:
        kind: `chat` or `completions`.
        path: of the engine's route.
        call: what policies know.
        choices: how many the answer will have.
        parameters: names of the request's fields, without model and messages.
        router_fields: raw JSON of fields that no engine gets (`provider`, `user`, `metadata`, …).
        tool_ids: the caller's ids of tool calls and the engine's.
    """

    __slots__ = ("_pieces", "call", "choices", "kind", "parameters", "path", "router_fields", "tool_ids")

    def __init__(self, kind: str, call: Call, choices: int, fields: Fields, pieces: Pieces, tool_ids: ToolIds) -> None:
        self.kind = kind
        self.path = "/v1/chat/completions" if kind == "chat" else "/v1/completions"
        self.call = call
        self.choices = choices
        self.parameters = frozenset(fields.values) - _NO_PARAMETERS
        self.router_fields: Mapping[str, bytes] = {
            name: bytes(raw) for name, raw in fields.kept.items() if name not in _CONTENT
        }
        self.tool_ids = tool_ids
        self._pieces = pieces  # of the engine's body; joined per attempt, which is the only copy of an image

    def upstream_body(self, pool: Pool, *, generation_id: str) -> bytes:
        """The body for an engine of `pool`, which knows the model by its own name."""
        model, request_id = msgspec.json.encode(pool.upstream_model), msgspec.json.encode(generation_id)
        return b"".join([b'{"model":', model, b',"request_id":', request_id, *self._pieces, b"}"])


def parse_chat(raw: bytes, limits: Limits, *, bytes_per_token: float = BYTES_PER_TOKEN) -> Request:
    """Read a body of `/chat/completions`.

    Raises:
        ApiError: 400 or 413, naming the field at fault.
    """
    body = split(raw, limits)
    fields = read_fields(body, CHAT, limits)
    if "messages" not in fields.values:
        raise invalid("messages", "is required")
    messages = read_messages(fields.values["messages"], body, limits)
    tool_ids = ToolIds()
    conversation = normalise(messages.items, tool_ids)
    changed = conversation is not messages.items
    engine = {"messages": write(conversation) if changed else bytes(fields.values["messages"])}
    if is_prefill(conversation):
        engine |= {"continue_final_message": b"true", "add_generation_prompt": b"false"}
    engine |= _tools(fields, limits)
    tokens = text_tokens(messages.text_bytes, len(messages.items), bytes_per_token) + messages.media.tokens
    call = _call(fields.values, tokens, messages.media.tokens, frozenset(messages.media.kinds))
    return _request("chat", body, fields, engine, call, tool_ids, limits)


def parse_completion(raw: bytes, limits: Limits, *, bytes_per_token: float = BYTES_PER_TOKEN) -> Request:
    """Read a body of `/completions`.

    Raises:
        ApiError: 400 or 413, naming the field at fault.
    """
    body = split(raw, limits)
    fields = read_fields(body, COMPLETIONS, limits)
    if "prompt" not in fields.values:
        raise invalid("prompt", "is required")
    raw_prompt = bytes(fields.values["prompt"])
    prompt = read_prompt(b"".join(body.restore(raw_prompt)), limits)  # a text may look like an image
    tokens = text_tokens(prompt.text_bytes, prompt.count, bytes_per_token) + prompt.tokens
    call = _call(fields.values, tokens, 0, frozenset({"text"}))
    engine = {"prompt": raw_prompt}
    return _request("completions", body, fields, engine, call, ToolIds(), limits, prompts=prompt.count)


def _tools(fields: Fields, limits: Limits) -> dict[str, bytes]:
    """Both fields as they came; an empty array of tools counts as none, which vLLM would refuse."""
    engine: dict[str, bytes] = {}
    names: frozenset[str] = frozenset()
    if (tools := fields.values.get("tools")) is not None:
        names = check_tools(bytes(tools), limits)
    if (choice := fields.values.get("tool_choice")) is not None:
        check_tool_choice(bytes(choice), names)
    if names:
        engine["tools"] = bytes(fields.values["tools"])
        if choice is not None:
            engine["tool_choice"] = bytes(choice)
    return engine


def _call(values: Mapping[str, Any], tokens: int, image_tokens: int, modalities: frozenset[str]) -> Call:
    models = [*([values["model"]] if "model" in values else []), *values.get("models", [])]
    if not models or not all(models):
        raise invalid("model", "is required")
    return Call(
        model=models[0],
        fallback_models=tuple(models[1:]),
        prompt_tokens=tokens,
        image_tokens=image_tokens,
        max_tokens=values.get("max_completion_tokens", values.get("max_tokens")),
        stream=values.get("stream", False),
        modalities=modalities,
    )


def _request(
    kind: str,
    body: Body,
    fields: Fields,
    engine: dict[str, bytes],
    call: Call,
    tool_ids: ToolIds,
    limits: Limits,
    prompts: int = 1,
) -> Request:
    if "response_format" in fields.values:
        raw = bytes(fields.kept["response_format"])
        engine |= engine_fields(fields.values["response_format"], raw, limits)
    if call.max_tokens is not None:
        engine["max_tokens"] = b"%d" % call.max_tokens
    if call.stream:
        engine["stream_options"] = b'{"include_usage":true}'
    pieces: Pieces = []
    for name, raw_field in fields.forwarded.items():
        pieces += (b",", msgspec.json.encode(name), b":", *body.restore(bytes(raw_field)))
    for name, value in engine.items():
        pieces += (b',"%b":' % name.encode(), *body.restore(value))
    return Request(kind, call, fields.values.get("n", 1) * prompts, fields, pieces, tool_ids)
