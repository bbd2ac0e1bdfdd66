"""An engine's blocks of tokens become the chain that a request makes of its text."""

from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.replica_cache import ReplicaCache
from router.protocol.chain import Chain, seed_of
from router.protocol.engine_blocks import EngineBlocks
from router.protocol.kv_events import AllBlocksCleared, BlockRemoved, BlockStored, Event
from router.protocol.vocabulary import Vocabulary

SIZE = 4  # tokens of an engine's block
IMG, BREAK, END = 0, 1, 2
PIECES = [bytes([each]) * (each % 5 * 30) for each in range(3, 40)]  # of 0 to 120 bytes
VOCABULARY = Vocabulary(["[IMG]", "[IMG_BREAK]", "[IMG_END]"], PIECES)
RED, BLUE = sha256(b"red"), sha256(b"blue")


def engine() -> EngineBlocks:
    return EngineBlocks(VOCABULARY, ReplicaCache(1_000))


def stored(tokens: list[int], parent: int | None = None, first: int = 100, **more: Any) -> BlockStored:
    """Blocks named `first` and following."""
    names: list[bytes | int] = list(range(first, first + len(tokens) // SIZE))
    return BlockStored(block_hashes=names, parent_block_hash=parent, token_ids=tokens, block_size=SIZE, **more)


def chain_of(*items: list[int] | bytes, seed: int = 0) -> list[int]:
    """The hashes of a prompt of texts (as tokens) and images (as digests)."""
    chain = Chain(seed)
    for item in items:
        if isinstance(item, bytes):
            chain.image(item, 0)
        else:
            chain.text(VOCABULARY.bytes_of(item))
    return chain.hashes


TEXT = [6, 7, 8, 9] * 6  # 90 + 60 + 90 + 120 ... bytes in six blocks


def held(blocks: EngineBlocks) -> set[int]:
    return set(blocks.cache.hashes())


def test_text_gives_the_chain_that_a_request_makes_of_it() -> None:
    blocks = engine()
    change = blocks.apply(stored(TEXT))
    assert 3 < len(change.gained)
    assert chain_of(TEXT) == change.gained == list(blocks.cache.hashes())


@given(tokens=st.lists(st.integers(3, 39), min_size=40, max_size=40), cuts=st.sets(st.integers(1, 9)))
def test_however_the_blocks_are_told_the_chain_is_the_same(tokens: list[int], cuts: set[int]) -> None:
    blocks, gained = engine(), list[int]()
    edges = [0, *sorted(cuts), 10]
    for start, stop in pairwise(edges):
        parent = 100 + start - 1 if start else None
        gained += blocks.apply(stored(tokens[start * SIZE : stop * SIZE], parent, 100 + start)).gained
    assert chain_of(tokens) == gained
    for name in range(109, 99, -1):
        whole = chain_of(tokens[: (name - 100) * SIZE])
        blocks.apply(BlockRemoved([name]))
        assert set(whole) == held(blocks)


def test_a_block_that_leaves_takes_the_hashes_that_end_within_it() -> None:
    blocks = engine()
    blocks.apply(stored(TEXT))
    change = blocks.apply(BlockRemoved([105, 104]))
    assert set(chain_of(TEXT)) - set(chain_of(TEXT[:16])) == set(change.lost)


def test_hashes_of_32_bytes_are_the_same_as_their_last_64_bits() -> None:
    blocks = engine()
    blocks.apply(BlockStored([b"x" * 24 + (5).to_bytes(8, "big")], None, [9, 9, 9, 9], SIZE))
    assert chain_of([9] * 4) == blocks.apply(BlockRemoved([5])).lost


def test_an_image_is_its_digest_in_its_place() -> None:
    image = [IMG, IMG, BREAK, IMG, IMG, END]
    tokens = [9, 8, *image, 9, 9, 9, 9]
    keys = [[[RED.hexdigest(), 2]], [[RED.hexdigest(), -2]], None]
    blocks = engine()
    change = blocks.apply(stored(tokens, extra_keys=keys))
    assert chain_of([9, 8], RED.digest(), [9, 9, 9, 9]) == change.gained


def test_an_image_is_held_when_its_last_token_is() -> None:
    tokens = [IMG] * 11 + [END] + [9] * 4
    keys = [[[RED.hexdigest(), 0]], [[RED.hexdigest(), -4]], [[RED.hexdigest(), -8]]]
    blocks = engine()
    assert [] == blocks.apply(stored(tokens[:8], extra_keys=keys[:2])).gained
    assert chain_of(RED.digest()) == blocks.apply(stored(tokens[8:12], 101, 102, extra_keys=keys[2:])).gained


def test_images_side_by_side_are_told_apart_by_their_places() -> None:
    tokens = [END, IMG, END, 9]  # the first began before: its identifier is told with a negative offset
    blocks = engine()
    blocks.apply(stored([9, IMG, IMG, IMG], extra_keys=[[[RED.hexdigest(), 1]]]))
    keys: list[list[Any] | None] = [[[RED.hexdigest(), -3], [BLUE.hexdigest(), 1]]]
    change = blocks.apply(stored(tokens, 100, 101, extra_keys=keys))
    assert chain_of([9], RED.digest(), BLUE.digest(), [9]) == change.gained


def test_an_adapter_and_a_salt_begin_chains_elsewhere() -> None:
    keys: list[list[Any] | None] = [["tuned", [RED.hexdigest(), 0], "salt"]]
    image = [IMG, IMG, IMG, END]
    both = engine().apply(stored(image, lora_name="tuned", extra_keys=keys)).gained
    assert chain_of(RED.digest(), seed=seed_of("tuned", "salt")) == both
    salted = engine().apply(stored([9] * 4, extra_keys=[["salt"]])).gained
    assert chain_of([9] * 4, seed=seed_of(None, "salt")) == salted
    tuned = engine().apply(stored([9] * 4, lora_name="tuned", extra_keys=[["tuned"]])).gained
    assert chain_of([9] * 4, seed=seed_of("tuned")) == tuned
    assert 3 == len({*both, *salted, *tuned})


def test_only_the_first_block_names_the_salt_and_those_behind_it_are_the_tenants_too() -> None:
    blocks = engine()
    first = blocks.apply(stored(TEXT[:8], extra_keys=[["salt"], None])).gained
    rest = blocks.apply(stored(TEXT[8:], 101, 102)).gained
    assert chain_of(TEXT, seed=seed_of(None, "salt")) == first + rest
    assert not set(chain_of(TEXT)) & set(first + rest)


@pytest.mark.parametrize(
    ("identifier", "digest"),
    [
        (f"tuned:{RED.hexdigest()}", RED.digest()),
        ("cat.png", sha256(b"cat.png").digest()),
        ("z" * 64, sha256(b"z" * 64).digest()),
    ],
    ids=["of an adapter", "of the caller's", "not hexadecimal"],
)
def test_any_identifier_names_an_image(identifier: str, digest: bytes) -> None:
    change = engine().apply(stored([IMG, IMG, IMG, END], extra_keys=[[[identifier, 0]]]))
    assert chain_of(digest) == change.gained


@pytest.mark.parametrize(
    "event",
    [
        stored(TEXT, parent=99),
        stored([IMG, IMG, IMG, END], extra_keys=[[[RED.hexdigest(), 5]]]),
        stored([9] * 4, extra_keys=[[b"embeddings"]]),
        stored([9] * 4, extra_keys=[None, None]),
        stored([9, 9, 9, 40]),
        BlockStored([1, 2], None, [9] * 4, SIZE),
    ],
    ids=["no parent", "no image there", "embeddings", "keys", "another vocabulary", "a window"],
)
def test_a_block_that_cannot_be_placed_is_missed_with_those_after_it(event: BlockStored) -> None:
    blocks = engine()
    assert [] == blocks.apply(event).gained
    assert len(event.block_hashes) == blocks.cache.missed_total
    assert [] == blocks.apply(stored(TEXT, 100, 200)).gained


def test_blocks_before_the_one_that_cannot_be_placed_are_held() -> None:
    blocks = engine()
    keys: list[list[Any] | None] = [None, [b"embeddings"], None]
    change = blocks.apply(stored([9] * 12, extra_keys=keys))
    assert (chain_of([9] * 4), 2) == (change.gained, blocks.cache.missed_total)


def test_an_empty_event_stores_nothing() -> None:
    assert [] == engine().apply(stored([])).gained


def test_other_groups_of_layers_say_the_same_again() -> None:
    blocks = engine()
    blocks.apply(stored(TEXT, group_idx=0))
    blocks.apply(stored(TEXT, group_idx=1))
    assert [] == blocks.apply(BlockRemoved([100], group_idx=1)).lost
    assert set(chain_of(TEXT)) == held(blocks)


def test_an_emptied_cache_holds_nothing() -> None:
    blocks = engine()
    blocks.cache.begin(is_whole=False)
    blocks.apply(stored(TEXT))
    event: Event = AllBlocksCleared()
    assert blocks.apply(event).is_cleared
    assert (set(), True) == (held(blocks), blocks.cache.is_exact)
