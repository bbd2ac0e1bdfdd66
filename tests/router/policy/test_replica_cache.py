"""What an engine holds, by what it tells."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from router.policy.replica_cache import ReplicaCache


def cache(max_blocks: int = 100) -> ReplicaCache:
    return ReplicaCache(max_blocks)


def test_a_stored_block_brings_the_hashes_that_end_within_it() -> None:
    held = cache()
    assert [7, 8] == held.store(1, 8, b"rest", (7, 8))
    assert (8, b"rest") == held.end_of(1)
    assert (1, {7, 8}) == (len(held), set(held.hashes()))


def test_a_removed_block_takes_them_away() -> None:
    held = cache()
    held.store(1, 8, b"", (7, 8))
    assert [7, 8] == held.remove(1)
    assert (None, 0, set()) == (held.end_of(1), len(held), set(held.hashes()))


def test_a_block_is_held_until_its_last_copy_is_gone() -> None:
    held = cache()
    held.store(1, 8, b"", (8,))
    assert [] == held.store(1, 8, b"", (8,))
    assert [] == held.remove(1)
    assert [8] == held.remove(1)


def test_a_hash_is_held_as_long_as_any_block_has_it() -> None:
    held = cache()
    held.store(1, 8, b"", (8,))
    assert [9] == held.store(2, 9, b"", (8, 9))
    assert [] == held.remove(1)
    assert [8, 9] == held.remove(2)


def test_the_removal_of_an_unknown_block_says_nothing() -> None:
    assert [] == cache().remove(1)


def test_what_goes_beyond_the_bound_is_missed() -> None:
    held = cache(max_blocks=1)
    held.store(1, 8, b"", (8,))
    assert [] == held.store(2, 9, b"", (9,))
    assert (1, None, 1) == (len(held), held.end_of(2), held.missed_total)


def test_what_was_told_from_the_beginning_is_exact_whatever_is_missed() -> None:
    held = cache()
    held.miss(10_000)
    assert held.is_exact


def test_what_was_not_is_exact_once_nearly_every_block_can_be_placed() -> None:
    held = cache(10_000)
    held.begin(is_whole=False)
    held.miss(21)
    for block in range(1_024 - 21):
        assert not held.is_exact
        held.store(block, block, b"", ())
    assert not held.is_exact  # 21 of 1,024 are too many
    held.miss(20)
    for block in range(1_024 - 20):
        assert not held.is_exact
        held.store(block, block, b"", ())
    assert held.is_exact
    held.miss(2_000)
    assert held.is_exact


def test_a_new_beginning_forgets_all() -> None:
    held = cache()
    held.store(1, 8, b"", (8,))
    held.begin(is_whole=False)
    assert (0, set(), False) == (len(held), set(held.hashes()), held.is_exact)
    held.begin(is_whole=True)
    assert held.is_exact


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4))))
def test_gained_and_lost_add_up_to_what_is_held(steps: list[tuple[bool, int]]) -> None:
    hashes = {0: (1,), 1: (2, 3), 2: (3,), 3: (), 4: (1, 4)}
    held, copies, told = cache(), Counter[int](), set[int]()
    for is_stored, block in steps:
        if is_stored:
            gained = held.store(block, 0, b"", hashes[block])
            assert not told & set(gained)
            told.update(gained)
            copies[block] += 1
        else:
            lost = held.remove(block)
            assert told.issuperset(lost)
            told.difference_update(lost)
            copies[block] = max(0, copies[block] - 1)
    assert {each for block, count in copies.items() if count for each in hashes[block]} == told == set(held.hashes())
