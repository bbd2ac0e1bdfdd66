from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from router.policy.catalog import EndpointId
from router.policy.prefix import PrefixIndex, PrefixSettings

A, B, C = EndpointId("a"), EndpointId("b"), EndpointId("c")


def test_an_empty_index_knows_nobody() -> None:
    index = PrefixIndex(PrefixSettings())
    assert ({}, {}, 0, 0) == (index.depths((1, 2)), index.depths(()), len(index), index.blocks(A))


def test_each_endpoint_holds_as_much_of_the_chain_as_it_was_sent() -> None:
    index = PrefixIndex(PrefixSettings())
    index.add(A, (1, 2, 3))
    index.add(B, (1, 2, 30))
    index.add(C, (10,))
    assert {A: 3, B: 2} == index.depths((1, 2, 3, 4))
    assert {A: 2, B: 2} == index.depths((1, 2))
    assert (5, 3) == (len(index), index.blocks(A))


def test_a_block_without_those_before_it_is_no_prefix() -> None:
    index = PrefixIndex(PrefixSettings())
    index.add(A, (1, 2, 3))
    index.add(B, (2, 3))
    assert {A: 3} == index.depths((1, 2, 3))


def test_the_end_of_a_prompt_is_forgotten_before_its_beginning() -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=4))
    index.add(A, (1, 2, 3))
    index.add(A, (10, 20))
    assert [{A: 2}, {A: 2}] == [index.depths((1, 2, 3)), index.depths((10, 20))]


def test_what_was_used_lately_stays() -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=4))
    index.add(A, (1, 2))
    index.add(A, (10, 20))
    index.add(A, (1, 2))
    index.add(A, (5, 6))
    assert [{A: 2}, {}, {A: 2}] == [index.depths(each) for each in ((1, 2), (10, 20), (5, 6))]


def test_a_prompt_longer_than_the_cache_keeps_its_beginning() -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=3))
    index.add(A, range(10))
    assert {A: 3} == index.depths(range(10))


def test_an_engine_that_tells_its_size_is_believed() -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=8))
    index.add(A, range(8))
    index.resize(A, 3)
    assert {A: 3} == index.depths(range(8))
    index.resize(A, 100)
    index.add(A, range(50))
    index.resize(A, 100)
    assert {A: 50} == index.depths(range(50))


def test_a_wrong_belief_lets_less_fit() -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=100))
    index.add(A, range(100))
    for _ in range(5):
        index.judge(A, 1000, 500)
    index.add(A, ())
    assert 77 == index.blocks(A)  # 100 · 0.95⁵
    for _ in range(200):
        index.judge(A, 1000, 0)
    index.add(A, ())
    assert 10 == index.blocks(A)


def test_right_beliefs_let_it_fit_again() -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=100))
    index.add(A, range(100))
    for _ in range(5):
        index.judge(A, 1000, 500)
    for _ in range(100):
        index.judge(A, 1000, 1000)
    index.add(A, range(200))
    assert 100 == index.blocks(A)


@pytest.mark.parametrize("expected_tokens", [0, 100])
def test_who_is_not_known_or_was_expected_to_hold_nothing_is_not_judged(expected_tokens: int) -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=100))
    index.judge(B, expected_tokens, 0)
    index.add(A, range(100))
    index.judge(A, 0, 0)
    index.add(A, ())
    assert (100, 0) == (index.blocks(A), index.blocks(B))


def test_an_engine_that_tells_is_believed_exactly() -> None:
    index = PrefixIndex(PrefixSettings())
    index.add(A, (1, 2, 3))
    index.begin_exact(A)
    assert {} == index.depths((1, 2, 3))
    index.stored(A, (1, 2))
    assert {A: 2} == index.depths((1, 2, 3))
    index.removed(A, (2, 9))
    assert {A: 1} == index.depths((1, 2, 3))
    index.cleared(A)
    assert {} == index.depths((1, 2, 3))


def test_what_was_just_sent_counts_until_it_is_told() -> None:
    index = PrefixIndex(PrefixSettings())
    index.begin_exact(A)
    index.stored(A, (1,))
    index.add(A, (1, 2, 3))
    assert {A: 3} == index.depths((1, 2, 3))
    index.stored(A, (2,))
    index.removed(A, (1, 2))
    assert ({}, 1) == (index.depths((1, 2, 3)), index.blocks(A))


def test_only_so_much_is_believed_to_be_on_its_way() -> None:
    index = PrefixIndex(PrefixSettings(expected_blocks=2))
    index.begin_exact(A)
    index.add(A, (1, 2, 3))
    assert {A: 2} == index.depths((1, 2, 3))


def test_an_engine_that_tells_is_not_judged() -> None:
    index = PrefixIndex(PrefixSettings(blocks_per_endpoint=10))
    index.begin_exact(A)
    index.stored(A, range(10))
    for _ in range(100):
        index.judge(A, 1000, 0)
    index.end_exact(A)
    assert {A: 10} == index.depths(range(10))


def test_an_engine_that_tells_no_more_is_remembered_as_it_was_last() -> None:
    index = PrefixIndex(PrefixSettings())
    index.begin_exact(A)
    index.stored(A, (1, 2))
    index.end_exact(A)
    index.stored(A, (3,))
    index.removed(A, (1,))
    assert {A: 2} == index.depths((1, 2, 3))


def test_what_is_said_of_endpoints_that_do_not_tell_is_ignored() -> None:
    index = PrefixIndex(PrefixSettings())
    index.stored(A, (1,))
    index.removed(A, (1,))
    index.end_exact(A)
    index.cleared(A)
    index.forget(A)
    index.add(B, (1,))
    index.stored(B, (2,))
    index.removed(B, (1,))
    index.end_exact(B)
    assert ({B: 1}, 1) == (index.depths((1, 2)), len(index))


def test_an_endpoint_that_left_holds_nothing_and_its_place_is_taken_by_another() -> None:
    index = PrefixIndex(PrefixSettings())
    for endpoint_id in (A, B):
        index.add(endpoint_id, (1, 2))
    index.forget(A)
    index.add(C, (1,))
    assert {B: 2, C: 1} == index.depths((1, 2))
    assert {1, 2} == index._owners.keys()


def test_all_endpoints_together_stay_within_the_bound() -> None:
    index = PrefixIndex(PrefixSettings(max_blocks=10))
    index.add(A, range(10))
    assert 10 == len(index)
    index.add(B, range(100, 110))
    assert (5, 5) == (index.blocks(A), index.blocks(B))
    index.forget(A)
    index.add(B, range(100, 110))
    assert 10 == len(index)


def test_a_cache_larger_than_the_index_is_known_in_part() -> None:
    index = PrefixIndex(PrefixSettings(max_blocks=10, expected_blocks=4))
    index.begin_exact(A)
    index.add(A, range(100, 104))
    index.stored(A, range(20))
    assert {A: 10} == index.depths(range(20))
    assert 10 == len(index)
    index.add(B, (500,))
    assert (5, 1) == (index.blocks(A), index.blocks(B))


@pytest.mark.parametrize("name", ["max_blocks", "blocks_per_endpoint", "expected_blocks"])
def test_a_setting_out_of_range_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must"):
        PrefixSettings(**{name: 0})


CHAINS = st.lists(st.integers(0, 5), max_size=6).map(
    lambda words: tuple(hash(tuple(words[: end + 1])) for end in range(len(words)))
)  # as prompts are: equal beginnings, equal hashes
ENDPOINTS = st.sampled_from([A, B, C])
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "stored", "removed", "cleared", "forget", "begin_exact", "end_exact", "resize", "judge"]
        ),
        ENDPOINTS,
        CHAINS,
    ),
    max_size=40,
)


def perform(index: PrefixIndex, what: str, endpoint_id: EndpointId, chain: Sequence[int]) -> None:
    match what:
        case "add" | "stored" | "removed":
            getattr(index, what)(endpoint_id, chain)
        case "resize":
            index.resize(endpoint_id, len(chain))
        case "judge":
            index.judge(endpoint_id, 10, 10 * (len(chain) % 2))
        case _:
            getattr(index, what)(endpoint_id)


@settings(deadline=None)
@given(OPERATIONS, CHAINS)
def test_where_all_fits_depths_are_those_of_plain_sets(
    operations: list[tuple[str, EndpointId, tuple[int, ...]]], asked: tuple[int, ...]
) -> None:
    index = PrefixIndex(PrefixSettings())
    sent: dict[EndpointId, set[int]] = {A: set(), B: set(), C: set()}
    told: dict[EndpointId, set[int]] = {}
    for what, endpoint_id, chain in operations:
        if what == "resize" or what == "judge":
            continue
        perform(index, what, endpoint_id, chain)
        match what:
            case "add":
                sent[endpoint_id] |= set(chain) - told.get(endpoint_id, set())
            case "stored" if endpoint_id in told:
                told[endpoint_id] |= set(chain)
                sent[endpoint_id] -= set(chain)
            case "removed" if endpoint_id in told:
                told[endpoint_id] -= set(chain)
            case "cleared":
                sent[endpoint_id] = set()
                if endpoint_id in told:
                    told[endpoint_id] = set()
            case "forget":
                sent[endpoint_id] = set()
                told.pop(endpoint_id, None)
            case "begin_exact":
                sent[endpoint_id] = set()
                told[endpoint_id] = set()
            case "end_exact":
                sent[endpoint_id] |= told.pop(endpoint_id, set())
        held = {each: sent[each] | told.get(each, set()) for each in sent}
        depths = {each: leading(held[each], asked) for each in held if leading(held[each], asked)}
        assert depths == index.depths(asked)
        assert len(set().union(*held.values())) == len(index)


def leading(held: set[int], chain: Sequence[int]) -> int:
    return next((depth for depth, block in enumerate(chain) if block not in held), len(chain))


class AnyUse(RuleBasedStateMachine):
    """An index with hardly any room, in any use."""

    SETTINGS = PrefixSettings(max_blocks=7, blocks_per_endpoint=5, expected_blocks=2)

    def __init__(self) -> None:
        super().__init__()
        self.index = PrefixIndex(self.SETTINGS)

    @rule(
        what=st.sampled_from(
            ["add", "stored", "removed", "cleared", "forget", "begin_exact", "end_exact", "resize", "judge"]
        ),
        endpoint_id=st.sampled_from([EndpointId(str(number)) for number in range(9)]),
        chain=CHAINS,
    )
    def perform(self, what: str, endpoint_id: EndpointId, chain: tuple[int, ...]) -> None:
        perform(self.index, what, endpoint_id, chain)

    @rule(chain=CHAINS)
    def a_depth_counts_the_leading_blocks_that_are_held(self, chain: tuple[int, ...]) -> None:
        holders = [self.index.depths((block,)).keys() for block in chain]
        everybody = set().union(*holders)
        expected = {
            each: next((depth for depth, those in enumerate(holders) if each not in those), len(chain))
            for each in everybody
        }
        assert {each: depth for each, depth in expected.items() if depth} == self.index.depths(chain)

    @invariant()
    def it_stays_within_its_bound(self) -> None:
        held = sum(self.index.blocks(each) for each in self.index._shelves)
        assert len(self.index) <= held <= self.SETTINGS.max_blocks
        assert sum(mask.bit_count() for mask in self.index._masks.values()) == held
        assert 0 not in self.index._masks.values()


AnyUse.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestAnyUse = AnyUse.TestCase
