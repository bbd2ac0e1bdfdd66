"""Top-level fields checked by the table, and sorted: what the engine gets, what the router keeps.

Fields that nobody knows are passed on untouched, within a bound; what may not be sent is refused by name.
"""

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
            _check_unknown(name, raw, limits)
            read_.forwarded[name] = raw
            continue
        try:
            value = raw if field.decoder is None else read(field.decoder, raw)
        except ValueError as error:
            raise invalid(name, str(error)) from None
        if value is None or bytes(memoryview(raw)[:5]) == b"null":
            continue
        read_.values[name] = value
        (read_.forwarded if field.is_forwarded else read_.kept)[name] = raw
    _check_counts(read_.values, limits)
    return read_


def _check_unknown(name: str, raw: msgspec.Raw, limits: Limits) -> None:
    size = len(memoryview(raw))
    if size > limits.unknown_bytes:
        raise invalid(name[:64], f"an unknown field may have at most {limits.unknown_bytes} bytes, this has {size}")


def _check_counts(values: Mapping[str, Any], limits: Limits) -> None:
    _at_most(values.get("n", 1), limits.n, "n")
    _at_most(values.get("top_logprobs", 0), limits.top_logprobs, "top_logprobs")
    _at_most(int(values.get("logprobs", 0)), limits.top_logprobs, "logprobs")
    _at_most(len(values.get("logit_bias", ())), limits.logit_bias, "logit_bias", "entries")
    _at_most(len(values.get("models", ())), limits.fallback_models, "models", "entries")
    _at_most(len(values.get("metadata", ())), limits.metadata, "metadata", "pairs")
    stop = values.get("stop", [])
    stops = [stop] if isinstance(stop, str) else stop
    _at_most(len(stops), limits.stop, "stop", "strings")
    for text in stops:
        _at_most(len(text), limits.stop_chars, "stop", "characters in a string")
        if not text:
            raise invalid("stop", "an empty stop string")
    if values.get("top_logprobs") and not values.get("logprobs"):
        raise invalid("top_logprobs", "needs logprobs to be true")


def _at_most(value: int, bound: int, field: str, unit: str = "") -> None:
    if value > bound:
        raise invalid(field, f"at most {bound} {unit}".rstrip() + f", got {value}")
