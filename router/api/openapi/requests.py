"""Bodies of inference requests: fields and ranges from the table that they are read by, bounds from the limits."""

from collections.abc import Mapping

import msgspec

from router.api.openapi.shape import Json, listed, nullable, record, ref, with_more
from router.api.openapi.words import WORDS
from router.protocol.fields import CHAT, COMPLETIONS, EMBEDDINGS, RERANK, Field
from router.protocol.limits import Limits

_TEXT: Json = {"type": "string"}
_IDS: Json = {**listed({"type": "integer", "minimum": 0, "exclusiveMaximum": 2**31}), "minItems": 1}


def schemas(limits: Limits) -> dict[str, Json]:
    """One for each route that has a table of fields."""
    return {
        "ChatRequest": _body(CHAT, limits),
        "CompletionRequest": _body(COMPLETIONS, limits, "prompt"),
        "EmbeddingRequest": _body(EMBEDDINGS, limits, "input"),
        "RerankRequest": _body(RERANK, limits, "query", "documents"),
        **_parts(),
    }


def _own(limits: Limits) -> dict[str, Json]:
    """Of fields that are read elsewhere than by the table."""
    texts = _some(_TEXT)
    prompt = (_TEXT, texts, _IDS, _some(_IDS))
    return {
        "messages": {**_some(ref("Message")), "maxItems": limits.messages},
        "tools": nullable({**listed(ref("Tool")), "maxItems": limits.tools}),
        "tool_choice": nullable(ref("ToolChoice")),
        "prompt": {"anyOf": prompt},
        "input": {"anyOf": (*prompt, _some(record("content:object[]")))},
        "query": _TEXT,
        "documents": _some({"anyOf": [_TEXT, record("text:string")]}),
        "response_format": nullable(ref("ResponseFormat")),
    }


def _some(schema: Json) -> Json:
    """At least one of these."""
    return {**listed(schema), "minItems": 1}


def _body(table: Mapping[str, Field], limits: Limits, *required: str) -> Json:
    own = _own(limits)
    properties = {
        name: {**(own[name] if name in own else _of(name, field, limits)), "description": WORDS[name]}
        for name, field in table.items()
    }
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": True}


def _of(name: str, field: Field, limits: Limits) -> Json:
    assert field.decoder is not None
    schema: dict[str, object] = msgspec.json.schema(field.decoder.type)
    bounds: Mapping[str, tuple[str, int]] = {
        "n": ("maximum", limits.n),
        "top_logprobs": ("maximum", limits.top_logprobs),
        "logit_bias": ("maxProperties", limits.logit_bias),
        "models": ("maxItems", limits.fallback_models),
        "metadata": ("maxProperties", limits.metadata),
        "stop": ("maxItems", limits.stop),
        "stop_token_ids": ("maxItems", limits.stop_token_ids),
        "bad_words": ("maxItems", limits.bad_words),
        "model": ("maxLength", limits.identifier_chars),
        "user": ("maxLength", limits.identifier_chars),
        "session_id": ("maxLength", limits.identifier_chars),
    }
    if name in bounds:
        word, bound = bounds[name]
        _bound(schema, word, bound)
    return schema


def _bound(schema: dict[str, object], word: str, bound: int) -> None:
    """Put a bound to the kind of value that it is for."""
    kinds = {"maximum": "integer", "maxProperties": "object", "maxItems": "array", "maxLength": "string"}
    choices = schema["anyOf"]
    assert isinstance(choices, list)
    for choice in choices:
        if choice.get("type") == kinds[word]:
            choice[word] = bound


def _parts() -> dict[str, Json]:
    """What messages, tools and formats are made of."""
    text_or_parts: Json = {"anyOf": [_TEXT, {"type": "array", "items": ref("ContentPart")}, {"type": "null"}]}
    roles: Json = {"enum": ["system", "developer", "user", "assistant", "tool"]}
    call = record("id:string", type={"const": "function"}, function=record("name:string arguments:string"))
    named = record("", type={"const": "function"}, function=record("name:string"))
    file = record("-filename:string -file_data:string -file_id:string")
    function = record("name:string -description:string? -parameters:object? -strict:boolean?")
    return {
        "Message": {
            "type": "object",
            "properties": {
                "role": roles,
                "content": text_or_parts,
                "name": {"type": "string"},
                "tool_calls": {"type": "array", "items": call},
                "tool_call_id": {"type": "string"},
            },
            "required": ["role"],
            "additionalProperties": True,
        },
        "ContentPart": {
            "oneOf": [
                record("text:string", type={"const": "text"}),
                record("", type={"const": "image_url"}, image_url=record("url:string -detail:auto|low|high|original")),
                record("", type={"const": "file"}, file=file),
            ],
            "discriminator": {"propertyName": "type"},
        },
        "Tool": record("", type={"const": "function"}, function=function),
        "ToolChoice": {"anyOf": [{"enum": ["none", "auto", "required"]}, named]},
        "ResponseFormat": _formats(),
    }


def _formats() -> Json:
    """What an answer is held to: a word for each, and what it is held by."""
    plain: tuple[tuple[str, Json], ...] = (
        ("grammar", record("grammar:string")),
        ("regex", record("-regex:string -pattern:string")),
        ("choice", record("choice:string[]")),
        (
            "json_schema",
            record("", json_schema=record("name:string -description:string schema:object -strict:boolean?")),
        ),
        ("xml", record("schema:object -root:string -indent:boolean")),
        ("yaml", record("schema:object")),
        ("text", record("")),
        ("json_object", record("")),
    )
    return {"oneOf": [_tagged(word, schema) for word, schema in plain], "discriminator": {"propertyName": "type"}}


def _tagged(word: str, schema: Json) -> Json:
    tagged = with_more(schema, type={"const": word})
    required = schema["required"]
    assert isinstance(required, list)
    return {**tagged, "required": ["type", *required]}
