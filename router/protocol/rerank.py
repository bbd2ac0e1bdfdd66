"""The body of `/rerank`: a query and documents, which are put in the order of their relevance."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from router.policy.call import Caller
from router.protocol import kinds
from router.protocol.body import split
from router.protocol.errors import invalid
from router.protocol.fields import RERANK
from router.protocol.limits import Limits
from router.protocol.media import Fetched
from router.protocol.plugins.filter_messages import AnyFilter
from router.protocol.plugins.filter_prompt import filter_texts, prepared_of
from router.protocol.plugins.prepare import ContextOf
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


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    text: str


_query = msgspec.json.Decoder(str)
_documents = msgspec.json.Decoder(list[str | _Document])


def parse_rerank(
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
    """Read a body of `/rerank`. Arguments are those of `parse_chat`; nothing is fetched.

    Raises:
        ApiError: 400 or 413, naming the field at fault.
    """
    body = split(raw, limits)
    fields = read_fields(body, RERANK, limits)
    for name in ("query", "documents"):
        if name not in fields.values:
            raise invalid(name, "is required")
    query = _text(b"".join(body.restore(bytes(fields.values["query"]))))
    documents = _read(b"".join(body.restore(bytes(fields.values["documents"]))), limits)
    given = [query, *documents]
    seen, findings = filter_texts(given, filters, ["query", *(f"documents[{at}]" for at in range(len(documents)))])
    raw_query, raw_documents = msgspec.json.encode(seen[0]), msgspec.json.encode(seen[1:])
    if seen is not given:
        fields.kept.update(query=msgspec.Raw(raw_query), documents=msgspec.Raw(raw_documents))
    call = make_call(
        fields.values,
        [item for text in seen for item in render_prompt(text.encode())],
        lengths,
        caller,
        seeds,
        prompts=len(documents),
        output=kinds.RERANK.output,
    )
    engine = {"query": raw_query, "documents": raw_documents}
    request = make_request(kinds.RERANK, body, fields, engine, call, caller, ToolIds())
    request.prepared = prepared_of(findings)
    return request


def _text(raw: bytes) -> str:
    try:
        query: str = read(_query, raw)
    except ValueError as error:
        raise invalid("query", str(error)) from None
    if not query:
        raise invalid("query", "must not be empty")
    return query


def _read(raw: bytes, limits: Limits) -> list[str]:
    try:
        documents: list[str | _Document] = read(_documents, raw)
    except ValueError as error:
        raise invalid("documents", f"must be texts, or objects with a text: {error}") from None
    if not documents:
        raise invalid("documents", "must not be empty")
    if len(documents) > limits.documents:
        problem = f"at most {limits.documents} documents, got {len(documents)}"
        raise invalid("documents", problem, limit="documents")
    return [each if isinstance(each, str) else each.text for each in documents]
