"""Texts that are no conversation, seen through filters: prompts, and what is embedded or ranked.

They count as what a user says. Token ids are not read: where a filter would block or redact, a prompt of them is
refused, or any filter could be gone round by whoever has the tokenizer.
"""

from collections.abc import Iterable, Sequence

import msgspec

from router.protocol.errors import ApiError
from router.protocol.messages import Message
from router.protocol.plugins.builtin_filters import AnyFilter
from router.protocol.plugins.content_filter import Action
from router.protocol.plugins.prepare import Prepared
from router.protocol.plugins.read_plugins import Plugins
from router.protocol.plugins.search import Finding, Search
from router.protocol.wire import read

_texts = msgspec.json.Decoder(str | list[str])
_NO_MESSAGES: list[Message] = []


def filter_prompt(raw: bytes, filters: Sequence[AnyFilter], field: str) -> tuple[bytes, tuple[Finding, ...]]:
    """A prompt as it may go on, and what was found in it; the very same bytes if nothing was redacted.

    Args:
        raw: JSON of a text, of texts, or of token ids; checked before.
        filters: of the caller's guardrails.
        field: for errors.

    Raises:
        ApiError: 403, one of them blocks, or cannot be kept.
    """
    if not filters:
        return raw, ()
    try:
        given: str | list[str] = read(_texts, raw)
    except ValueError:
        if all(each.action is Action.FLAG for each in filters):
            return raw, ()
        raise ApiError(
            "permission_denied",
            f"Request blocked: {field}: the content filters of this key cannot look at token ids; send text.",
            field=field,
            metadata={"patterns": []},
        ) from None
    texts = [given] if isinstance(given, str) else given
    written, findings = filter_texts(texts, filters, [field] if isinstance(given, str) else _fields(field, len(texts)))
    if written is texts:
        return raw, findings
    return msgspec.json.encode(written[0] if isinstance(given, str) else written), findings


def filter_texts(
    texts: list[str], filters: Sequence[AnyFilter], fields: Iterable[str]
) -> tuple[list[str], tuple[Finding, ...]]:
    """Texts as they may go on, and what was found; the very same list if nothing was redacted. `fields`: of each.

    Raises:
        ApiError: 403, one of the filters blocks.
    """
    search = Search(filters)
    written = [search.text(text, field) for text, field in zip(texts, fields, strict=True)]
    search.check()
    is_same = all(a is b for a, b in zip(written, texts, strict=True))
    return texts if is_same else written, search.findings


def prepared_of(findings: Sequence[Finding]) -> Prepared | None:
    """What the router's metadata tells of it. None: nothing."""
    if not findings:
        return None
    return Prepared(_NO_MESSAGES, Plugins(), tuple([finding.step() for finding in findings]), (), None)


def _fields(field: str, count: int) -> list[str]:
    return [f"{field}[{index}]" for index in range(count)]
