"""Batches of KV-cache events, as vLLM's versions write them."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.kv_events import AllBlocksCleared, Batch, BlockRemoved, BlockStored, read_batch

pack = msgspec.msgpack.encode

# As vLLM 0.29 writes them: a batch is an array, an event a map.
STORED = {
    "type": "BlockStored",
    "block_hashes": [b"h" * 32],
    "parent_block_hash": b"p" * 32,
    "token_ids": [1, 2],
    "block_size": 2,
    "lora_id": None,
    "medium": "GPU",
    "lora_name": "a",
    "extra_keys": [["a", ["image", -3]]],
    "group_idx": 0,
    "kv_cache_spec_kind": "full_attention",
}
REMOVED = {"type": "BlockRemoved", "block_hashes": [7], "medium": "GPU", "group_idx": 0}
CLEARED = {"type": "AllBlocksCleared"}


def test_a_batch_of_all_kinds_is_read() -> None:
    stored = BlockStored(
        block_hashes=[b"h" * 32],
        parent_block_hash=b"p" * 32,
        token_ids=[1, 2],
        block_size=2,
        medium="GPU",
        lora_name="a",
        extra_keys=[["a", ["image", -3]]],
        group_idx=0,
        kv_cache_spec_kind="full_attention",
    )
    removed = BlockRemoved(block_hashes=[7], medium="GPU", group_idx=0)
    assert Batch(1.5, (stored, removed, AllBlocksCleared())) == read_batch(pack([1.5, [STORED, REMOVED, CLEARED], 0]))


def test_fields_that_are_left_out_have_their_defaults() -> None:
    short = {name: STORED[name] for name in ("type", "block_hashes", "parent_block_hash", "token_ids", "block_size")}
    (event,) = read_batch(pack([0, [short]])).events
    assert BlockStored([b"h" * 32], b"p" * 32, [1, 2], 2) == event


def test_events_may_be_arrays_too() -> None:
    batch = read_batch(pack([1.5, [["BlockStored", [9], None, [1], 1], ["BlockRemoved", [9]], ["AllBlocksCleared"]]]))
    stored, removed, cleared = batch.events
    assert isinstance(stored, BlockStored)
    assert ([9], None, [1], 1) == (stored.block_hashes, stored.parent_block_hash, stored.token_ids, stored.block_size)
    assert isinstance(removed, BlockRemoved)
    assert [9] == removed.block_hashes
    assert isinstance(cleared, AllBlocksCleared)


def test_a_batch_may_be_a_map_and_a_long_event_an_array_of_the_long_form() -> None:
    event = b"\xdc\x00\x02" + pack("BlockRemoved") + pack([9])
    batch = read_batch(pack({"ts": 2.0, "events": [msgspec.Raw(event)], "data_parallel_rank": 0}))
    assert (2.0, [[9]]) == (batch.at, [each.block_hashes for each in batch.events if isinstance(each, BlockRemoved)])


def test_kinds_and_fields_that_are_not_known_are_passed_over() -> None:
    news: list[Any] = [{"type": "BlockMoved", "x": 1}, ["BlockMoved", 1], {**REMOVED, "x": 1}]
    assert (BlockRemoved([7], "GPU", 0),) == read_batch(pack([0, news, 0, "more"])).events


def test_blocks_below_the_gpu_are_left_out() -> None:
    batch = [0, [{**STORED, "medium": "CPU"}, {**REMOVED, "medium": "STORAGE"}, CLEARED]]
    assert (AllBlocksCleared(),) == read_batch(pack(batch)).events


@pytest.mark.parametrize(
    "batch",
    [
        b"",
        b"\xc1",
        pack([1.5]),
        pack([1.5, [3]]),
        pack([1.5, [{"kind": "BlockStored"}]]),
        pack([1.5, [{"type": "BlockStored"}]]),
        pack([1.5, [{**STORED, "token_ids": [-1]}]]),
        pack([1.5, [["BlockRemoved"]]]),
        pack([1.5, [REMOVED]])[:-1],
        b"\x92\x01\x91\x81\xa4type\xa1\xff",
    ],
    ids=range(10),
)
def test_what_cannot_be_read_is_refused(batch: bytes) -> None:
    with pytest.raises(ValueError, match="not a batch of KV-cache events"):
        read_batch(batch)


def test_a_batch_that_is_nested_for_ever_is_refused() -> None:
    with pytest.raises(ValueError, match="not a batch of KV-cache events"):
        read_batch(b"\x92\xcb" + bytes(8) + b"\x91" * 60_000)


@given(batch=st.binary() | st.binary().map(lambda tail: b"\x92\x01" + tail))
def test_no_bytes_break_the_reader(batch: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(read_batch(batch), Batch)
