"""Answers that ought to be JSON and nearly are: the plugin `response-healing`.

Fences and prose around the JSON go, and what is broken in it is mended (see lenient_json). A text that parses is never
touched, and one that does not have the demanded shape after mending is left as it was: a wrong guess would be worse
than an error, because the caller could not see it. An answer that ran into its length is cut, not broken, and stays.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from router.protocol.plugins.lenient_json import Unmendable, rewrite
from router.protocol.plugins.pipeline import Step, with_pipeline
from router.protocol.wire import read

MOST_CHARS = 16_384  # of an answer: some 4,000 tokens; a worst case holds the event loop for 50 ms, an ordinary one 3
_FENCE = re.compile(r"```[\w+-]{0,32}[ \t]*\r?\n?")
_BRACKET = re.compile(r"[{\[]")
_any = msgspec.json.Decoder()
_answer = msgspec.json.Decoder(dict[str, msgspec.Raw])
_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_object = msgspec.json.Decoder(dict[str, Any])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string = msgspec.json.Decoder(str | None)
_KINDS = {"object": dict, "array": list}


def heal(text: str, schema: Mapping[str, Any] | None = None) -> str | None:
    """The JSON that was meant; the text itself if it parses; None if it cannot be told.

    Args:
        text: the answer.
        schema: that it ought to fit: of it the outermost type and its required keys are looked at. None: an object.
    """
    if _parsed(text) is not None or text.strip() == "null":
        return text
    if len(text) > MOST_CHARS:
        return None
    end = 0
    for start in _starts(text):
        if start < end:
            continue  # within a value that is not the one: a part of it is not either
        try:
            mended, end = rewrite(text, start)
        except Unmendable:
            return None
        if _fits(_parsed(mended), schema):
            return mended
    return None


def _starts(text: str) -> list[int]:
    """Brackets where the JSON may begin, in their order: at most three, so that time stays linear."""
    fence = _FENCE.search(text)
    fenced = _BRACKET.search(text, fence.end()) if fence else None
    starts = [text.find("{"), text.find("["), fenced.start() if fenced else -1]
    return sorted({start for start in starts if start >= 0})


def _parsed(text: str) -> object:
    """None: it is no JSON, or null."""
    try:
        return read(_any, text.encode("utf-8", "replace"))
    except ValueError:
        return None


def _fits(value: object, schema: Mapping[str, Any] | None) -> bool:
    if schema is None:
        return isinstance(value, dict)
    kind = schema.get("type", "object")
    if not isinstance(value, _KINDS.get(kind, (dict, list)) if isinstance(kind, str) else (dict, list)):
        return False
    required = schema.get("required")
    return not isinstance(value, dict) or not isinstance(required, list) or all(key in value for key in required)


def heal_answer(body: bytes, schema: Mapping[str, Any] | None = None) -> bytes:
    """A whole chat completion with its contents mended; the same bytes if nothing had to be.

    Of its `openrouter_metadata`, if it has some, the pipeline tells of it.
    """
    answer: dict[str, msgspec.Raw] = read(_answer, body)
    choices: list[dict[str, msgspec.Raw]] = read(_objects, answer["choices"])
    mended = 0
    for choice in choices:
        message: dict[str, msgspec.Raw] = read(_fields, choice.get("message", msgspec.Raw(b"{}")))
        text: str | None = read(_string, message.get("content", msgspec.Raw(b"null")))
        if not text or bytes(choice.get("finish_reason", b"")) == b'"length"':
            continue
        healed = heal(text, schema)
        if healed is not None and healed != text:
            message["content"] = msgspec.Raw(msgspec.json.encode(healed))
            choice["message"] = msgspec.Raw(msgspec.json.encode(message))
            mended += 1
    if not mended:
        return body
    answer["choices"] = msgspec.Raw(msgspec.json.encode(choices))
    if "openrouter_metadata" in answer:
        metadata: dict[str, Any] = read(_object, answer["openrouter_metadata"])
        step = Step("response_healing", "response-healing", f"mended the JSON of {mended} of {len(choices)} answers")
        answer["openrouter_metadata"] = msgspec.Raw(msgspec.json.encode(with_pipeline(metadata, [step])))
    return msgspec.json.encode(answer)
