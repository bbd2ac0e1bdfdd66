"""Top-level fields checked by the table, and sorted: what the engine gets, what the router keeps.

Fields that nobody knows are passed on untouched, within a bound; what may not be sent is refused by name. Names and
identifiers hold no control characters: they end up in logs, headers and databases, where a line break or a NUL would
mean something.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from router.protocol.body import Body
from router.protocol.errors import invalid
from router.protocol.fields import Field
from router.protocol.forbidden import refusal
from router.protocol.limits import Limits
from router.protocol.wire import read

_IDENTIFIERS = frozenset(
    {"model", "models", "user", "session_id", "metadata", "safety_identifier", "prompt_cache_key", "preset", "route"}
)  # of metadata the keys
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # all that any reader of logs takes for the end of a line
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Fields:
    """A request's fields, read. Nulls are left out."""

    values: dict[str, Any]  # of known fields
    forwarded: dict[str, msgspec.Raw]  # what the engine gets as it came, unknown fields among them
    kept: dict[str, msgspec.Raw]  # what only the router reads


def read_fields(body: Body, table: Mapping[str, Field], limits: Limits) -> Fields:
    """Check every field by the table.

    Raises:
        ApiError: 400, naming the first field that is refused, of the wrong type or out of range.
    """
    read_ = Fields({}, {}, {})
    for name, raw in body.fields.items():
        field = table.get(name)
        if field is None:
            if (error := refusal(name)) is not None:
                raise error
            _check_size(name, raw, limits)
            read_.forwarded[name] = raw
            continue
        try:
            value = raw if field.decoder is None else read(field.decoder, raw)
        except ValueError as error:
            raise invalid(name, str(error)) from None
        if value is None or bytes(memoryview(raw)[:5]) == b"null":
            continue
        if not field.is_forwarded and field.decoder is not None:
            _check_kept(name, raw, limits)
        read_.values[name] = value
        (read_.forwarded if field.is_forwarded else read_.kept)[name] = raw
    _check_counts(read_.values, limits)
    return read_


def _check_size(name: str, raw: msgspec.Raw, limits: Limits) -> None:
    size = len(memoryview(raw))
    if size > limits.unknown_bytes:
        problem = f"this field may have at most {limits.unknown_bytes} bytes, this has {size}"
        raise invalid(name[:64], problem, limit="unknown_bytes")


def _check_kept(name: str, raw: msgspec.Raw, limits: Limits) -> None:
    """Of a field that no engine gets: it may be stored, and databases take no NUL."""
    if name != "response_format":  # has bounds of its own, and is compiled
        _check_size(name, raw, limits)
    if _NUL.search(memoryview(raw)):
        raise invalid(name, "must not contain a NUL character")


def _check_counts(values: Mapping[str, Any], limits: Limits) -> None:
    _at_most(values.get("n", 1), limits.n, "n")
    _at_most(values.get("top_logprobs", 0), limits.top_logprobs, "top_logprobs")
    _at_most(int(values.get("logprobs", 0)), limits.top_logprobs, "logprobs", "top_logprobs")
    _at_most(len(values.get("logit_bias", ())), limits.logit_bias, "logit_bias", unit="entries")
    _at_most(len(values.get("models", ())), limits.fallback_models, "models", "fallback_models", "entries")
    _at_most(len(values.get("metadata", ())), limits.metadata, "metadata", unit="pairs")
    _at_most(len(values.get("stop_token_ids", ())), limits.stop_token_ids, "stop_token_ids", unit="entries")
    words = values.get("bad_words", ())
    _at_most(len(words), limits.bad_words, "bad_words", unit="entries")
    for word in words:
        _at_most(len(word), limits.bad_word_chars, "bad_words", "bad_word_chars", "characters in an entry")
    stop = values.get("stop", [])
    stops = [stop] if isinstance(stop, str) else stop
    _at_most(len(stops), limits.stop, "stop", unit="strings")
    for text in stops:
        _at_most(len(text), limits.stop_chars, "stop", "stop_chars", "characters in a string")
        if not text:
            raise invalid("stop", "an empty stop string")
    if values.get("top_logprobs") and not values.get("logprobs"):
        raise invalid("top_logprobs", "needs logprobs to be true")
    for name in _IDENTIFIERS & values.keys():
        given = values[name]
        for text in given if isinstance(given, list | dict) else [given]:
            _at_most(len(text), limits.identifier_chars, name, "identifier_chars", "characters")
            if _CONTROL.search(text):
                raise invalid(name, "must not contain control characters")


def _at_most(value: int, bound: int, field: str, limit: str = "", unit: str = "") -> None:
    """`limit`: the bound's name, if it is not the field's."""
    if value > bound:
        raise invalid(field, f"at most {bound} {unit}".rstrip() + f", got {value}", limit=limit or field)
