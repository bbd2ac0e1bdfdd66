"""vLLM's KV-cache events: one message of an engine's publisher becomes a list of what its cache gained and lost.

Messages are msgpack. vLLM 0.29 writes a batch as an array and each event as a map with its kind under `type`; other
versions write events as arrays that begin with their kind, and leave default values at the end away. All are read. A
field or a kind of event that is not known here is passed over; a batch that cannot be read at all is refused, and so
is a known event without what it must have: from there on nobody knows what the cache holds.
"""

from typing import Annotated, Any

import msgspec

TokenId = Annotated[int, msgspec.Meta(ge=0)]
BlockHash = bytes | int
_GPU = "GPU"


class BlockStored(msgspec.Struct, frozen=True, tag="BlockStored"):
    """Blocks that have entered the cache, each after the one before; the first after `parent_block_hash`.

    Fields are vLLM's, in its order. `block_size` is in tokens.
    """

    block_hashes: list[BlockHash]
    parent_block_hash: BlockHash | None  # None: the prompt begins with the first block
    token_ids: list[TokenId]  # of all blocks together
    block_size: int
    lora_id: int | None = None
    medium: str | None = None  # "GPU", or a tier below it
    lora_name: str | None = None
    extra_keys: list[list[Any] | None] | None = None  # a list for each block, see `router.protocol.engine_blocks`
    group_idx: int | None = None  # of layers that share block tables; a model with one kind of attention has one
    kv_cache_spec_kind: str | None = None
    kv_cache_spec_sliding_window: int | None = None


class BlockRemoved(msgspec.Struct, frozen=True, tag="BlockRemoved"):
    """Blocks that have left the cache."""

    block_hashes: list[BlockHash]
    medium: str | None = None
    group_idx: int | None = None


class AllBlocksCleared(msgspec.Struct, frozen=True, tag="AllBlocksCleared"):
    """The cache was emptied."""


# The same as arrays: [kind, field, field, ...].
class _StoredArray(BlockStored, frozen=True, tag="BlockStored", array_like=True): ...


class _RemovedArray(BlockRemoved, frozen=True, tag="BlockRemoved", array_like=True): ...


class _ClearedArray(AllBlocksCleared, frozen=True, tag="AllBlocksCleared", array_like=True): ...


Event = BlockStored | BlockRemoved | AllBlocksCleared
_KINDS = frozenset({"BlockStored", "BlockRemoved", "AllBlocksCleared"})


class _Batch(msgspec.Struct, frozen=True):
    ts: float
    events: list[msgspec.Raw]


class _BatchArray(_Batch, frozen=True, array_like=True): ...


class _Kind(msgspec.Struct, frozen=True):
    type: str


class _KindArray(_Kind, frozen=True, array_like=True): ...


class Batch(msgspec.Struct, frozen=True):
    """What one step of an engine did to its cache."""

    at: float  # when, in seconds of the engine's wall clock
    events: tuple[Event, ...]  # in order; those of tiers below the GPU are left out


# Each twice: for maps, and for arrays.
_BATCH = (msgspec.msgpack.Decoder(_Batch), msgspec.msgpack.Decoder(_BatchArray))
_KIND = (msgspec.msgpack.Decoder(_Kind), msgspec.msgpack.Decoder(_KindArray))
_EVENT: tuple[msgspec.msgpack.Decoder[Event], msgspec.msgpack.Decoder[Event]] = (
    msgspec.msgpack.Decoder(BlockStored | BlockRemoved | AllBlocksCleared),
    msgspec.msgpack.Decoder(_StoredArray | _RemovedArray | _ClearedArray),
)


def read_batch(payload: bytes) -> Batch:
    """Read one message.

    Raises:
        ValueError: it is not a batch of events.
    """
    try:
        batch = _BATCH[_is_array(payload)].decode(payload)
        events = tuple(event for raw in batch.events if (event := _read_event(raw)) is not None and _is_of_gpu(event))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a batch of KV-cache events: {error}") from None
    return Batch(batch.ts, events)


def _read_event(raw: msgspec.Raw) -> Event | None:
    is_array = _is_array(memoryview(raw))
    try:
        return _EVENT[is_array].decode(raw)
    except msgspec.ValidationError:
        if _KIND[is_array].decode(raw).type in _KINDS:
            raise
        return None


def _is_array(message: bytes | memoryview) -> bool:
    """Does a msgpack array begin here? (fixarray, array 16, array 32)"""
    first = message[0] if len(message) else 0
    return 0x90 <= first <= 0x9F or first in (0xDC, 0xDD)


def _is_of_gpu(event: Event) -> bool:
    return isinstance(event, AllBlocksCleared) or event.medium in (None, _GPU)
