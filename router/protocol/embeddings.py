"""The body of `/embeddings`: texts or token ids, each of which becomes a vector. There is nothing to stream.

OpenRouter's third form, parts within `content`, is joined to one text; pictures have no engine here that embeds them.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from router.policy.call import Caller
from router.protocol import kinds
from router.protocol.body import split
from router.protocol.errors import invalid
from router.protocol.fields import EMBEDDINGS
from router.protocol.limits import Limits
from router.protocol.media import Fetched
from router.protocol.plugins.filter_messages import AnyFilter
from router.protocol.plugins.filter_prompt import filter_prompt, prepared_of
from router.protocol.plugins.prepare import ContextOf
from router.protocol.prompt import Prompt, read_prompt
from router.protocol.read_fields import read_fields
from router.protocol.render import render_prompt
from router.protocol.request import Request, make_call, make_request, no_context
from router.protocol.tokens import FixedLengths, Lengths
from router.protocol.tool_ids import ToolIds
from router.protocol.wire import read

_UNLEARNED = FixedLengths()
_UNSEEDED: Mapping[str, int] = MappingProxyType({})
_NONE_FETCHED: Fetched = MappingProxyType({})
_NOBODY = Caller()


class _Part(msgspec.Struct):
    type: Literal["text"]
    text: str


class _Parts(msgspec.Struct):
    content: list[_Part]


_in_parts = msgspec.json.Decoder(list[_Parts])


def parse_embeddings(
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
    """Read a body of `/embeddings`. Arguments are those of `parse_chat`; nothing is fetched.

    Raises:
        ApiError: 400 or 413, naming the field at fault.
    """
    body = split(raw, limits)
    fields = read_fields(body, EMBEDDINGS, limits)
    if "input" not in fields.values:
        raise invalid("input", "is required")
    given = b"".join(body.restore(bytes(fields.values["input"])))  # a text may look like an image
    text, prompt = _read(given, limits)
    sent, findings = filter_prompt(text, filters, "input")
    if sent is not text:
        sent, prompt = _read(sent, limits)
        fields.kept["input"] = msgspec.Raw(sent)
    items = [item for text in prompt.texts for item in render_prompt(text)]
    values: Mapping[str, Any] = fields.values
    call = make_call(
        values,
        items,
        lengths,
        caller,
        seeds,
        prompts=prompt.count,
        token_ids=prompt.tokens,
        output=kinds.EMBEDDINGS.output,
    )
    request = make_request(kinds.EMBEDDINGS, body, fields, {"input": sent}, call, caller, ToolIds())
    request.prepared = prepared_of(findings)
    return request


def _read(given: bytes, limits: Limits) -> tuple[bytes, Prompt]:
    """The input as engines take it, and its measure."""
    if given.lstrip(b" \t\r\n[").startswith(b"{"):
        try:
            parts: list[_Parts] = read(_in_parts, given)
        except ValueError as error:
            raise invalid("input", f"only text can be embedded: {error}") from None
        given = msgspec.json.encode(["\n".join(part.text for part in each.content) for each in parts])
    return given, read_prompt(given, limits, field="input", most=limits.embeddings, limit="embeddings")
