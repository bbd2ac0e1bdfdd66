import random

import pytest

from bench.physics.blocks import BlockPool


def filled(pool: BlockPool, *names: int) -> list[int]:
    blocks = pool.take(len(names))
    for block, name in zip(blocks, names, strict=True):
        pool.name(block, name)
    return blocks


def test_a_released_prefix_is_found_again_until_its_blocks_are_taken() -> None:
    pool = BlockPool(4)
    blocks = filled(pool, 11, 12, 13)
    pool.release(blocks)
    assert (4, 0) == (pool.free, pool.usage)
    assert blocks == pool.find([11, 12, 13, 14], 9)
    assert blocks[:2] == pool.find([11, 12, 13], 2)
    assert [] == pool.find([99, 11], 9)


def test_the_tail_of_a_sequence_is_taken_before_its_head_and_the_oldest_sequence_first() -> None:
    pool = BlockPool(5)
    old, new = filled(pool, 1, 2), filled(pool, 3, 4)
    pool.release(old)
    pool.release(new)
    pool.take(3)  # one was never used
    assert (2, 1) == pool.drain_removed()
    assert () == pool.drain_removed()
    pool.take(1)
    assert (4,) == pool.drain_removed()


def test_a_block_without_a_name_is_taken_first() -> None:
    pool = BlockPool(3)
    named, nameless = filled(pool, 1, 2), pool.take(1)
    pool.release(named)
    pool.release(nameless)
    assert nameless == pool.take(1)
    assert () == pool.drain_removed()


def test_holding_a_found_block_keeps_it_from_being_taken() -> None:
    pool = BlockPool(2)
    blocks = filled(pool, 1)
    pool.release(blocks)
    assert 1 == pool.idle(blocks)
    pool.hold(blocks)
    pool.hold(blocks)
    assert (1, 0) == (pool.free, pool.idle(blocks))
    pool.release(blocks)
    with pytest.raises(ValueError, match="2 blocks wanted, 1 free"):
        pool.take(2)
    pool.release(blocks)
    assert 2 == len(pool.take(2))


def test_a_name_that_two_blocks_bear_is_found_until_both_are_taken() -> None:
    pool = BlockPool(2)
    first, second = filled(pool, 7), filled(pool, 7)
    pool.release(first)
    assert first == pool.find([7], 1)
    assert first == pool.take(1)
    assert second == pool.find([7], 1)


def test_names_are_voided_only_while_nothing_is_held() -> None:
    pool = BlockPool(2)
    blocks = filled(pool, 1)
    assert not pool.clear()
    pool.release(blocks)
    assert pool.clear()
    assert [] == pool.find([1], 1)


def test_a_pool_needs_a_block() -> None:
    with pytest.raises(ValueError, match="count must be at least 1"):
        BlockPool(0)


@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_neither_lost_nor_doubled(seed: int) -> None:
    rng, pool = random.Random(seed), BlockPool(30)
    held: list[list[int]] = []
    for _ in range(2000):
        if held and rng.random() < 0.5:
            pool.release(held.pop(rng.randrange(len(held))))
        else:
            names = [rng.randrange(4) * 100 + depth for depth in range(rng.randrange(1, 8))]
            hit = pool.find(names, len(names) - 1)
            if len(names) - len(hit) + pool.idle(hit) > pool.free:
                continue
            pool.hold(hit)
            held.append(hit + filled(pool, *names[len(hit) :]))
        assert 30 - pool.free == len({block for blocks in held for block in blocks})
    for blocks in held:
        pool.release(blocks)
    assert 30 == pool.free
