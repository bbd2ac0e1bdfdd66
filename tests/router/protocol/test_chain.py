"""Chains of block hashes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from router.policy.call import NO_PREFIX, Prefix
from router.protocol.chain import BLOCK_BYTES, Chain, salted, seed_of

Item = bytes | tuple[bytes, int]  # text, or an image's digest and tokens
IMAGES = st.binary(min_size=1, max_size=3).map(lambda data: (hashlib.sha256(data).digest(), len(data)))
ITEMS = st.lists(st.binary(max_size=700) | IMAGES, max_size=8)


def chain(items: list[Item], seed: int = 0) -> Chain:
    made = Chain(seed)
    for item in items:
        if isinstance(item, bytes):
            made.text(item)
        else:
            made.image(*item)
    return made


def by_the_rule(items: list[Item], seed: int) -> list[int]:
    """As slowly and plainly as the rule reads."""
    hashes: list[int] = []
    pending = b""

    def block(data: bytes) -> None:
        hashes.append(xxh3_64_intdigest(data, seed=hashes[-1] if hashes else seed))

    for item in items:
        if isinstance(item, bytes):
            for at in range(len(item)):
                pending += item[at : at + 1]
                if len(pending) == 256:
                    block(pending)
                    pending = b""
        else:
            if pending:
                block(pending)
                pending = b""
            block(item[0])
    return hashes


@given(items=ITEMS, seed=st.integers(0, 2**64 - 1))
def test_a_chain_follows_the_rule(items: list[Item], seed: int) -> None:
    assert by_the_rule(items, seed) == chain(items, seed).hashes


def test_the_rule_is_written_in_stone() -> None:
    """Other programs make the same chains: these numbers may not change."""
    made = chain([b"a" * 300, (bytes(range(32)), 5), b"b" * 256])
    assert [
        0x3FDB4FF1846C90F3,
        0xBF3782F1575A4B9,
        0xE83002D606471AB9,
        0x33E61DA3355F47E2,
    ] == made.hashes
    assert 0x5187B0ED1F2A888A == seed_of("lora")
    assert 0xAD4772A38B2FD7C0 == seed_of(None, "s")
    assert 0x494CFF52551BEFD7 == seed_of("lora", "s")


@given(items=ITEMS, more=ITEMS)
def test_what_begins_alike_has_the_same_hashes(items: list[Item], more: list[Item]) -> None:
    one, other = chain(items), chain([*items, *more])
    assert one.hashes == other.hashes[: len(one.hashes)]


@given(texts=st.lists(st.binary(max_size=300), max_size=6))
def test_how_text_is_cut_does_not_matter(texts: list[bytes]) -> None:
    assert chain([b"".join(texts)]).hashes == chain([*texts]).hashes


@given(before=ITEMS, after=ITEMS)
def test_a_chain_goes_on_where_another_stands(before: list[Item], after: list[Item]) -> None:
    first = chain(before)
    second = Chain(first.last, first.pending)
    for item in after:
        if isinstance(item, bytes):
            second.text(item)
        else:
            second.image(*item)
    assert chain([*before, *after]).hashes == first.hashes + second.hashes


def test_a_change_changes_its_block_and_all_behind_it() -> None:
    text = bytes(4 * BLOCK_BYTES)
    changed = chain([text[:300] + b"x" + text[301:]]).hashes
    same = [one == other for one, other in zip(chain([text]).hashes, changed, strict=True)]
    assert [True, False, False, False] == same


def test_blocks_end_at_so_many_tokens() -> None:
    made = chain([b"a" * 300, (bytes(32), 380), (bytes(32), 10), b"b" * 600])
    ends = (64, 75, 75 + 380, 75 + 390, (300 + 256) // 4 + 390, (300 + 512) // 4 + 390)
    assert Prefix(tuple(made.hashes), ends) == made.prefix(4.0)
    assert (900, 390) == (made.text_bytes, made.image_tokens)


@given(items=ITEMS, bytes_per_token=st.floats(0.5, 8))
def test_ends_grow_and_stay_within_the_prompt(items: list[Item], bytes_per_token: float) -> None:
    made = chain(items)
    ends = [0, *made.prefix(bytes_per_token).ends, made.text_bytes / bytes_per_token + made.image_tokens]
    assert sorted(ends) == ends


def test_a_short_text_has_no_blocks() -> None:
    assert NO_PREFIX is chain([b"a" * (BLOCK_BYTES - 1)]).prefix(4.0)
    assert 1 == len(chain([b"a" * BLOCK_BYTES]).hashes)


@pytest.mark.parametrize(("adapter", "salt"), [("a", ""), (None, "a"), ("a", "b"), ("b", "a")])
def test_adapters_and_salts_have_chains_of_their_own(adapter: str | None, salt: str) -> None:
    others = [seed_of(*each) for each in ((None, ""), ("a", "c"), ("c", ""))]
    assert seed_of(adapter, salt) not in others
    assert 0 == seed_of() == seed_of("", "")


def test_a_salt_is_put_on_top_of_an_adapters_seed() -> None:
    assert seed_of("lora", "s") == salted(seed_of("lora"), "s")
    assert seed_of("lora") == salted(seed_of("lora"), "")
