from array import array

from bench.simulator.prompt import Picture, block_names, extra_keys

IDS = array("I", range(100, 164))


def picture(identifier: str, at: int, tokens: int) -> Picture:
    return Picture(at, tokens, 28, 28, identifier)


def test_only_full_blocks_have_names() -> None:
    assert [3, 4, 0] == [len(block_names(IDS[:count], (), 16)) for count in (63, 64, 15)]


def test_a_name_stands_for_a_block_and_all_before_it() -> None:
    names = block_names(IDS, (), 16)
    assert names[:2] == block_names(IDS[:40], (), 16)
    changed = array("I", IDS)
    changed[0] = 5
    assert set() == set(names) & set(block_names(changed, (), 16))
    changed = array("I", IDS)
    changed[40] = 5
    assert names[:2] == block_names(changed, (), 16)[:2]
    assert set() == set(names[2:]) & set(block_names(changed, (), 16))


def test_another_picture_of_the_same_size_is_another_prompt() -> None:
    one, two = (block_names(IDS, [picture(name, 20, 20)], 16) for name in ("a", "b"))
    assert one[0] == two[0]
    assert set() == set(one[1:]) & set(two)


def test_the_same_picture_elsewhere_is_another_prompt() -> None:
    flat = array("I", [10] * 64)
    one, two = (block_names(flat, [picture("a", at, 20)], 16) for at in (20, 21))
    assert one[1] != two[1]


def test_salts_separate_caches() -> None:
    assert set() == set(block_names(IDS, (), 16, "a")) & set(block_names(IDS, (), 16))


def test_names_fit_into_64_bits() -> None:
    assert all(0 <= name < 2**64 for name in block_names(IDS, (), 1))


def test_extra_keys_tell_where_a_picture_begins_from_each_blocks_start() -> None:
    pictures = [picture("a", 20, 20), picture("b", 45, 3)]
    assert [None, (("a", 4),), (("a", -12), ("b", 13)), None] == extra_keys(pictures, 0, 4, 16)


def test_the_salt_stands_in_the_first_blocks_extra_keys_alone() -> None:
    assert [(("a", 4), "salt"), (("a", -12),)] == extra_keys([picture("a", 4, 20)], 0, 2, 16, "salt")
    assert [None] == extra_keys([], 1, 1, 16, "salt")
