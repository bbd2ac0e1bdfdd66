"""What an engine says of itself: `/version` and `/v1/models`, read leniently. Never raises; what is unclear is None."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """Of one engine."""

    name: str = "vllm"  # what `owned_by` says
    version: str | None = None
    max_model_len: int | None = None  # tokens
    root: str | None = None  # where the weights are from
    parent: str | None = None  # the model that this one is an adapter of
    serves: bool = True  # False: it does not know the name that its pool asks for


class _Card(msgspec.Struct, frozen=True):
    id: str
    owned_by: str = "vllm"
    root: str | None = None
    parent: str | None = None
    max_model_len: int | None = None


class _Version(msgspec.Struct, frozen=True):
    version: str


class _Models(msgspec.Struct, frozen=True):
    data: tuple[_Card, ...]


_read_version = msgspec.json.Decoder(_Version).decode
_read_models = msgspec.json.Decoder(_Models).decode
_LONGEST = 128  # characters of a name
_MOST_TOKENS = 2**31


def parse_facts(version: bytes | None, models: bytes | None, upstream_model: str) -> EngineFacts:
    """
    Args:
        version: the answer to `GET /version`; None: there was none.
        models: the answer to `GET /v1/models`; None: there was none.
        upstream_model: the name that the pool asks for.
    """
    told = _version(version)
    cards = _cards(models)
    if not cards:
        return EngineFacts(version=told)
    own = next((card for card in cards if card.id == upstream_model), None)
    # an adapter has no length of its own: it is that of the model it adapts
    base = own if own is None or own.parent is None else next((c for c in cards if c.id == own.parent), own)
    length = None if base is None else base.max_model_len
    return EngineFacts(
        name=(own or cards[0]).owned_by[:_LONGEST] or "vllm",
        version=told,
        max_model_len=length if length is not None and 0 < length < _MOST_TOKENS else None,
        root=None if base is None or base.root is None else base.root[:_LONGEST],
        parent=None if own is None or own.parent is None else own.parent[:_LONGEST],
        serves=own is not None,
    )


def _version(answer: bytes | None) -> str | None:
    if answer is None:
        return None
    try:
        return _read_version(answer).version[:_LONGEST] or None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _cards(answer: bytes | None) -> tuple[_Card, ...]:
    if answer is None:
        return ()
    try:
        return _read_models(answer).data
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
