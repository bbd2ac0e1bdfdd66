"""A caller's bytes to a request: what policies may know of it, and the body that an engine gets.

Everything is read once. The engine's body is put together from the caller's own bytes; only what had to change (model,
limits, messages out of order or with images) is written anew.

An adapter computes other keys and values than the model it adapts, so the chain of a prompt to it begins with a seed of
its own. That goes by the model asked for first; a fallback to another adapter finds nothing in the index. A caller's
salt (see salt) goes to the engine and into the seed alike, so no cache is hoped for that another tenant has filled.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, cast

import msgspec

from router.policy.call import NO_PREFIX, Call, Caller
from router.policy.catalog import Pool
from router.policy.parameters import unsupported
from router.protocol import kinds
from router.protocol.body import Body, split
from router.protocol.chain import Chain, salted
from router.protocol.content_class import classify
from router.protocol.contents import write
from router.protocol.dialects.source import Source
from router.protocol.errors import invalid
from router.protocol.fields import CHAT, COMPLETIONS
from router.protocol.kinds import Kind
from router.protocol.limits import Limits
from router.protocol.media import Fetched
from router.protocol.mistral import is_prefill, normalise
from router.protocol.plugins.filter_messages import AnyFilter
from router.protocol.plugins.filter_prompt import filter_prompt, prepared_of
from router.protocol.plugins.prepare import ContextOf, Prepared, prepare
from router.protocol.prompt import read_prompt
from router.protocol.read_fields import Fields, read_fields
from router.protocol.read_messages import read_messages
from router.protocol.render import Item, render, render_prompt
from router.protocol.response_format import constraint_of, engine_fields
from router.protocol.service_tier import priority_of
from router.protocol.skin import Skin
from router.protocol.tokens import FixedLengths, Lengths, text_tokens
from router.protocol.tool_ids import ToolIds
from router.protocol.tools import check_tool_choice, check_tools

Pieces: TypeAlias = list[bytes | memoryview]

_UNLEARNED = FixedLengths()
_UNSEEDED: Mapping[str, int] = MappingProxyType({})
_NONE_FETCHED: Fetched = MappingProxyType({})
_NOBODY = Caller()


def no_context(model: str) -> int | None:
    """Of models whose contexts are not known: nothing is made to fit."""
    return None


_TEXT = frozenset({"text"})
_NO_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
_NO_NAMES: frozenset[str] = frozenset()
_CONTENT = frozenset({"messages", "prompt", "tools", "tool_choice", "response_format", "input", "query", "documents"})
_NO_PARAMETERS = frozenset({"model", "models", "messages", "prompt", "input", "query", "documents"})


class Request:
    """One checked request. Made by `parse_chat` and `parse_completion`.

    Attributes:
        kind: what is asked for, and how the answer is read.
        call: what policies know.
        choices: how many the answer will have.
        media: pictures in it.
        parameters: names of the request's fields, without model and messages.
        router_fields: raw JSON of fields that no engine gets (`provider`, `user`, `metadata`, …).
        tool_ids: the caller's ids of tool calls and the engine's.
        constraint: what stands for the grammar that an engine has to compile for it; None: there is none.
        skin: writes the answer in the words of another API than `/chat/completions`; None: that one is spoken.
        prepared: what plugins and filters did, and have yet to do; None: nothing.
        source: the caller's own fields, for providers that are no engine of ours; None: nobody needs them.
    """

    __slots__ = (
        "_fields", "call", "choices", "constraint", "kind", "media", "parameters", "prepared", "router_fields", "skin",
        "source", "tool_ids",
    )  # fmt: skip

    def __init__(
        self,
        kind: Kind,
        call: Call,
        choices: int,
        fields: Fields,
        engine: Mapping[str, Pieces],
        tool_ids: ToolIds,
        constraint: int | None,
        source: Source,
    ) -> None:
        self.kind = kind
        self.call = call
        self.choices = choices
        self.parameters = frozenset(fields.values) - _NO_PARAMETERS - _nothing(fields)
        self.router_fields: Mapping[str, bytes] = {
            name: bytes(raw) for name, raw in fields.kept.items() if name not in _CONTENT
        }
        self.tool_ids = tool_ids
        self.constraint = constraint
        self.media = 0
        self.skin: Skin | None = None
        self.prepared: Prepared | None = None
        self.source: Source | None = source
        self._fields = engine  # of the engine's body; joined per attempt, which is the only copy of an image

    def upstream_body(self, pool: Pool, *, generation_id: str) -> bytes:
        """The body for an engine of `pool`, which knows the model by its own name and gets what it obeys."""
        dropped = unsupported(self.parameters, pool)
        model, request_id = msgspec.json.encode(pool.upstream_model), msgspec.json.encode(generation_id)
        body: Pieces = [b'{"model":', model, b',"request_id":', request_id]
        for name, pieces in self._fields.items():
            if name not in dropped:
                body += (b",", msgspec.json.encode(name), b":", *pieces)
        body.append(b"}")
        return b"".join(body)


def parse_chat(
    raw: bytes,
    limits: Limits,
    *,
    lengths: Lengths = _UNLEARNED,
    caller: Caller = _NOBODY,
    seeds: Mapping[str, int] = _UNSEEDED,
    fetched: Fetched = _NONE_FETCHED,
    context_of: ContextOf = no_context,
    filters: Sequence[AnyFilter] = (),
) -> Request:
    """Read a body of `/chat/completions`.

    Args:
        raw: the body.
        limits: how large it may be.
        lengths: what is known of tokens' lengths.
        caller: who asks.
        seeds: of the chains of prompts to models that are adapters, by the model's slug.
        fetched: images that the body only names by URLs, and what was read in its documents.
        context_of: the longest prompt that a model's pools take.
        filters: of the caller's guardrails.

    Raises:
        ApiError: 400 or 413, naming the field at fault.
        Unfetched: nothing is wrong so far, but images are missing; to be called again with them.
    """
    body = split(raw, limits)
    fields = read_fields(body, CHAT, limits)
    messages = read_messages(_messages(fields), body, limits, caller.salt, fetched)
    tools = _tools(fields, limits)
    prepared = prepare(
        messages,
        fields.values,
        lengths=lengths,
        context_of=context_of,
        filters=filters,
        tools_bytes=len(tools.get("tools", b"")),
    )
    raw_messages = messages.raw if prepared.messages is messages.items else write(prepared.messages)
    tool_ids = ToolIds()
    conversation = normalise(prepared.messages, tool_ids)
    engine = {"messages": raw_messages if conversation is prepared.messages else write(conversation)}
    if is_prefill(conversation):
        engine |= {"continue_final_message": b"true", "add_generation_prompt": b"false"}
    engine |= tools | _response_format(fields, limits)
    messages.media.check_fetched()  # everything else is checked by now but the model's name
    items = render(conversation, engine.get("tools"), messages.media)
    call = make_call(fields.values, items, lengths, caller, seeds, modalities=frozenset(messages.media.kinds))
    request = make_request(kinds.CHAT, body, fields, engine, call, caller, tool_ids, messages=raw_messages)
    request.prepared = prepared
    request.media = messages.media.images
    return request


def parse_completion(
    raw: bytes,
    limits: Limits,
    *,
    lengths: Lengths = _UNLEARNED,
    caller: Caller = _NOBODY,
    seeds: Mapping[str, int] = _UNSEEDED,
    fetched: Fetched = _NONE_FETCHED,
    context_of: ContextOf = no_context,
    filters: Sequence[AnyFilter] = (),
) -> Request:
    """Read a body of `/completions`. Of several prompts there is no prefix; arguments are those of `parse_chat`.

    Raises:
        ApiError: 400 or 413, naming the field at fault.
    """
    body = split(raw, limits)
    fields = read_fields(body, COMPLETIONS, limits)
    if "prompt" not in fields.values:
        raise invalid("prompt", "is required")
    raw_prompt = bytes(fields.values["prompt"])
    given = b"".join(body.restore(raw_prompt))  # a text may look like an image
    prompt = read_prompt(given, limits)
    seen, findings = filter_prompt(given, filters, "prompt")
    if seen is not given:
        raw_prompt, prompt = seen, read_prompt(seen, limits)
        fields.kept["prompt"] = msgspec.Raw(seen)
    items = [item for text in prompt.texts for item in render_prompt(text)]
    call = make_call(fields.values, items, lengths, caller, seeds, prompts=prompt.count, token_ids=prompt.tokens)
    engine = {"prompt": raw_prompt} | _response_format(fields, limits)
    request = make_request(kinds.COMPLETIONS, body, fields, engine, call, caller, ToolIds(), prompts=prompt.count)
    request.prepared = prepared_of(findings)
    return request


def _messages(fields: Fields) -> msgspec.Raw:
    """OpenRouter takes a `prompt` in place of messages: what a user says."""
    given, prompt = fields.values.get("messages"), fields.values.get("prompt")
    if given is not None:
        if prompt is not None:
            raise invalid("prompt", "give messages or a prompt, not both")
        return cast(msgspec.Raw, given)
    if prompt is None:
        raise invalid("messages", "is required")
    if not bytes(prompt).startswith(b'"'):
        raise invalid("prompt", "must be a string")
    return msgspec.Raw(b'[{"role":"user","content":%b}]' % bytes(prompt))


def _nothing(fields: Fields) -> frozenset[str]:
    """An empty array of tools is none, and asks nothing of a pool."""
    return _NO_TOOLS if bytes(fields.values.get("tools", b"")) == b"[]" else _NO_NAMES


def _tools(fields: Fields, limits: Limits) -> dict[str, bytes]:
    """Both fields as they came; an empty array of tools counts as none, which vLLM would refuse."""
    engine: dict[str, bytes] = {}
    names: frozenset[str] = frozenset()
    choice = fields.values.get("tool_choice")
    if (tools := fields.values.get("tools")) is not None:
        is_demanded = choice is not None and bytes(choice) not in (b'"auto"', b'"none"')
        names = check_tools(bytes(tools), limits, is_compiled=is_demanded)
    if choice is not None:
        check_tool_choice(bytes(choice), names)
    if names:
        engine["tools"] = bytes(fields.values["tools"])
        if choice is not None:
            engine["tool_choice"] = bytes(choice)
    return engine


def _response_format(fields: Fields, limits: Limits) -> dict[str, bytes]:
    if "response_format" not in fields.values:
        return {}
    return engine_fields(fields.values["response_format"], bytes(fields.kept["response_format"]), limits)


def make_call(
    values: Mapping[str, Any],
    items: Sequence[Item],
    lengths: Lengths,
    caller: Caller,
    seeds: Mapping[str, int],
    *,
    prompts: int = 1,
    token_ids: int = 0,
    modalities: frozenset[str] = _TEXT,
    output: str = "text",
) -> Call:
    """What policies may know of a request with these fields, whose prompt is `items` and `token_ids`."""
    models = [*([values["model"]] if "model" in values else []), *values.get("models", [])]
    if not models or not all(models):
        raise invalid("model", "is required")
    chain = Chain(salted(seeds.get(models[0], 0), caller.salt))
    texts = []
    for item in items:
        if isinstance(item, bytes):
            chain.text(item)
            texts.append(item)
        else:
            chain.image(item.digest, item.tokens)
    content = classify(texts[0] if len(texts) == 1 else b"".join(texts))
    bytes_per_token = lengths.bytes_per_token(models[0], content)
    return Call(
        model=models[0],
        fallback_models=tuple(models[1:]),
        prompt_tokens=text_tokens(chain.text_bytes, bytes_per_token) + chain.image_tokens + token_ids,
        image_tokens=chain.image_tokens,
        text_bytes=chain.text_bytes,
        content=content,
        prefix=chain.prefix(bytes_per_token) if prompts == 1 else NO_PREFIX,
        priority=priority_of(values.get("service_tier"), caller.most),
        account=caller.account,
        first_token_s=caller.first_token_s,
        max_tokens=values.get("max_completion_tokens", values.get("max_tokens")),
        stream=values.get("stream", False),
        prompts=prompts,
        modalities=modalities,
        output=output,
    )


def make_request(
    kind: Kind,
    body: Body,
    fields: Fields,
    engine: dict[str, bytes],
    call: Call,
    caller: Caller,
    tool_ids: ToolIds,
    prompts: int = 1,
    messages: bytes | None = None,
) -> Request:
    """Put together what a parser has read.

    `engine`: raw JSON of the fields that were written anew. `messages`: a chat's, in the caller's order.
    """
    given: dict[str, bytes | msgspec.Raw] = {**fields.forwarded, **fields.kept}
    if messages is not None:
        given["messages"] = messages
    source = Source(kind.name, given, body, engine.get("messages"))
    if call.max_tokens is not None:
        engine["max_tokens"] = b"%d" % call.max_tokens
    if call.stream:
        engine["stream_options"] = b'{"include_usage":true}'
    if caller.salt:
        engine["cache_salt"] = msgspec.json.encode(caller.salt)
    constraint = constraint_of(engine)
    sent: dict[str, Pieces] = {}
    for name, raw_field in fields.forwarded.items():
        sent[name] = [*body.restore(bytes(raw_field))]
    for name, value in engine.items():
        sent[name] = [*body.restore(value)]
    return Request(kind, call, fields.values.get("n", 1) * prompts, fields, sent, tool_ids, constraint, source)
