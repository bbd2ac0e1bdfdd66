"""What each attempt of a request came to, as the ledger keeps it: a short list in JSON, in one column.

Bounded: of a request with very many attempts the last ones are kept, which led to the answer. Text that is no such
list (cut by an older database, or by hand) reads as an empty one.
"""

from collections.abc import Iterable, Sequence

import msgspec

LONGEST = 2_048  # characters of the whole list: six attempts with the longest names, twenty with usual ones
_LONGEST_NAME = 64  # of a provider or a pool; the configuration allows no longer ones
_LONGEST_ID = 128  # of a model, and of a provider's own id of the answer


class Answered(msgspec.Struct, frozen=True, omit_defaults=True, rename={"latency_ms": "ms", "upstream_id": "id"}):
    """One attempt."""

    provider: str
    pool: str
    model: str = ""  # the slug; a fallback may be another model
    status: int | None = None  # HTTP, as the endpoint gave it; None: it gave none
    latency_ms: int | None = None  # from sending to its first byte, or to its failure
    upstream_id: str | None = None


_decode = msgspec.json.Decoder(tuple[Answered, ...]).decode
_encode = msgspec.json.Encoder().encode


def to_text(attempts: Sequence[Answered]) -> str | None:
    """In one line, at most `LONGEST` characters; None: there were none."""
    kept: list[bytes] = []
    room = LONGEST - 2
    for each in reversed(attempts):
        text = _encode(_short(each))
        room -= len(text) + 1
        if room < 0:
            break
        kept.append(text)
    return f"[{b','.join(reversed(kept)).decode()}]" if kept else None


def from_text(text: str | None) -> tuple[Answered, ...]:
    """As they were made."""
    if text is None:
        return ()
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return ()


def _short(each: Answered) -> Answered:
    upstream_id = None if each.upstream_id is None else _plain(each.upstream_id, _LONGEST_ID)
    return Answered(
        _plain(each.provider, _LONGEST_NAME),
        _plain(each.pool, _LONGEST_NAME),
        _plain(each.model, _LONGEST_ID),
        each.status,
        each.latency_ms,
        upstream_id or None,
    )


def _plain(text: str, longest: int) -> str:
    """Its printable characters: no half of a surrogate pair, and no NUL."""
    return "".join(_printable(text[:longest]))


def _printable(text: str) -> Iterable[str]:
    return (character for character in text if character.isprintable())
