from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from router.policy.catalog import EndpointId
from router.policy.load import MEAN_UNCACHED_TOKENS, NOTHING, Hold, Load, TokenLoad

A, B = EndpointId("a"), EndpointId("b")


def own(load: TokenLoad, endpoint_id: EndpointId = A) -> Load:
    return dict(load.own()).get(endpoint_id, NOTHING)


def foreign(load: TokenLoad, endpoint_id: EndpointId = A) -> tuple[int, int]:
    account = load.of(endpoint_id)
    return account.foreign_queued, account.foreign_streams


def seen(load: TokenLoad, running: int, waiting: int = 0, *, times: int = 2, is_alone: bool = False) -> None:
    for _ in range(times):
        load.correct(A, running=running, waiting=waiting, is_alone=is_alone)


def test_an_endpoint_that_was_never_used_has_no_load() -> None:
    load = TokenLoad()
    account = load.of(A)
    assert (0, 0, 0, True) == (account.all_queued, account.all_streams, load.of(A).streams, account.is_empty)
    assert {} == dict(load.own())


def test_tokens_are_counted_for_the_endpoint_they_were_sent_to() -> None:
    load = TokenLoad()
    load.take(A, 100, 20)
    load.take(A, 3, 4)
    load.take(B, 1, 1)
    assert {A: Load(queued=103, streams=2, context=127), B: Load(queued=1, streams=1, context=2)} == dict(load.own())


def test_what_is_cached_needs_no_computing_but_takes_its_place() -> None:
    load = TokenLoad()
    load.take(A, 100, 20, cached_tokens=70)
    load.take(A, 100, 20, cached_tokens=1000)
    assert Load(queued=30, streams=2, context=240) == own(load)


def test_the_first_token_frees_the_prompt_and_the_release_frees_the_rest() -> None:
    load = TokenLoad()
    hold = load.take(A, 100, 20)
    hold.first_token()
    assert Load(queued=0, streams=1, context=120) == own(load)
    hold.release()
    assert NOTHING == own(load)
    hold.release()
    assert NOTHING == own(load)


def test_a_hold_of_a_forgotten_endpoint_leaves_its_successor_of_the_same_name_alone() -> None:
    load = TokenLoad()
    old = load.take(A, 100, 20)
    load.forget(A)
    assert NOTHING == own(load)
    load.take(A, 5, 5)
    old.release()
    assert Load(queued=5, streams=1, context=10) == own(load)


def test_forgetting_an_unknown_endpoint_is_allowed() -> None:
    TokenLoad().forget(A)


@pytest.mark.parametrize("tokens", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_a_negative_number_of_tokens_is_refused(tokens: tuple[int, int, int]) -> None:
    load = TokenLoad()
    with pytest.raises(ValueError, match="must not be negative"):
        load.take(A, *tokens[:2], cached_tokens=tokens[2])
    assert 0 == load.of(A).streams


def test_several_endpoints_are_read_at_once() -> None:
    load = TokenLoad()
    load.take(B, 7, 0)
    assert [0, 7] == [account.queued for account in load.of_each([A, B])]


def test_what_the_others_have_is_added_and_replaced_by_their_next_word() -> None:
    load = TokenLoad()
    load.take(A, 10, 5)
    load.set_peers(A, Load(queued=100, streams=2, context=300))
    load.set_peers(A, Load(queued=50, streams=1, context=100))
    account = load.of(A)
    assert (60, 2, 100) == (account.all_queued, account.all_streams, account.peer_context)
    assert Load(queued=10, streams=1, context=15) == own(load)
    load.set_peers(A, NOTHING)
    assert (10, 1) == (account.all_queued, account.all_streams)


def test_the_others_load_alone_is_not_told_as_own() -> None:
    load = TokenLoad()
    load.set_peers(A, Load(queued=1, streams=1))
    assert {} == dict(load.own())


def test_what_two_readings_agree_on_beyond_the_ledger_is_foreign() -> None:
    load = TokenLoad()
    load.take(A, 10, 5)
    seen(load, running=4, times=1)
    assert (0, 0) == foreign(load)
    seen(load, running=3, waiting=1, times=1)
    assert (round(load._mean_uncached), 3) == (foreign(load)[0], foreign(load)[1])
    seen(load, running=1)
    assert (0, 0) == foreign(load)


def test_a_request_on_its_way_is_not_foreign() -> None:
    load = TokenLoad()
    seen(load, running=1, times=1)
    load.take(A, 10, 5)
    seen(load, running=1, times=1)
    assert (0, 0) == foreign(load)


def test_foreign_requests_that_wait_count_as_the_mean_prompt() -> None:
    load = TokenLoad()
    seen(load, running=10, waiting=3)
    assert (int(3 * MEAN_UNCACHED_TOKENS), 13) == foreign(load)


def test_own_requests_teach_what_a_mean_prompt_is() -> None:
    load = TokenLoad()
    for _ in range(500):
        load.take(B, 100, 0).release()
    seen(load, running=0, waiting=1)
    assert 100 <= foreign(load)[0] <= 101


def test_the_claim_of_a_router_that_is_lost_is_taken_off() -> None:
    load = TokenLoad()
    load.set_peers(A, Load(queued=1000, streams=4, context=8000))
    seen(load, running=1, times=1)
    assert 4 == load.of(A).peer_streams
    seen(load, running=1, times=1)
    account = load.of(A)
    assert (250, 1, 2000) == (account.peer_queued, account.peer_streams, account.peer_context)


def test_own_requests_are_never_taken_off() -> None:
    load = TokenLoad()
    load.take(A, 10, 5)
    load.set_peers(A, Load(queued=7, streams=1, context=9))
    seen(load, running=0, times=5)
    assert (10, 1) == (load.of(A).all_queued, load.of(A).all_streams)


def test_a_router_that_hears_no_other_takes_the_engine_at_its_word_at_once() -> None:
    load = TokenLoad()
    load.take(A, 10, 5)
    seen(load, running=90, times=1)
    assert 0 == load.of(A).foreign_streams
    seen(load, running=50, waiting=2, times=1, is_alone=True)
    assert 51 == load.of(A).foreign_streams
    assert load.of(A).foreign_queued > 0


def test_an_endpoint_without_load_leaves_nothing_behind() -> None:
    load = TokenLoad()
    load.take(A, 1, 1).release()
    load.set_peers(A, Load(1, 1, 1))
    load.set_peers(A, NOTHING)
    seen(load, running=3)
    seen(load, running=0)
    assert {} == load._accounts


@given(
    st.lists(
        st.tuples(st.sampled_from([A, B]), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)),
        min_size=1,
        max_size=20,
    ),
    st.data(),
)
def test_the_ledger_returns_to_zero_whatever_the_order_of_releases(
    requests: list[tuple[EndpointId, int, int, int]], data: st.DataObject
) -> None:
    load = TokenLoad()
    holds = [load.take(*request[:3], cached_tokens=request[3]) for request in requests]
    calls: list[Callable[[], None]] = [
        call for hold in holds for call in (hold.first_token, hold.first_token, hold.release, hold.release)
    ]
    for call in data.draw(st.permutations(calls)):
        call()
        assert min(min(each.queued, each.streams, each.context) for each in load.of_each([A, B])) >= 0
    assert {} == load._accounts


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=9), st.integers(0, 9))
def test_what_is_told_is_the_sum_of_what_is_held(requests: list[tuple[int, int]], released: int) -> None:
    load = TokenLoad()
    holds = [load.take(A, *request) for request in requests]
    for hold in holds[:released]:
        hold.release()
    held = requests[released:]
    assert own(load) == Load(sum(prompt for prompt, _ in held), len(held), sum(map(sum, held)))


class AnyUse(RuleBasedStateMachine):
    """Requests come, get their first token and end; peers tell; engines speak; endpoints leave: in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.load = TokenLoad()
        self.held: dict[Hold, tuple[EndpointId, int, int, bool]] = {}  # uncached, context, and whether it counts

    @rule(
        endpoint_id=st.sampled_from([A, B]),
        prompt=st.integers(0, 5000),
        answer=st.integers(0, 500),
        cached=st.integers(0, 5000),
    )
    def dispatch(self, endpoint_id: EndpointId, prompt: int, answer: int, cached: int) -> None:
        hold = self.load.take(endpoint_id, prompt, answer, cached_tokens=cached)
        self.held[hold] = endpoint_id, max(0, prompt - cached), prompt + answer, True

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def first_token(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(list(self.held)))
        hold.first_token()
        endpoint_id, _, context, counts = self.held[hold]
        self.held[hold] = endpoint_id, 0, context, counts

    @precondition(lambda self: self.held)
    @rule(data=st.data(), twice=st.booleans())
    def end(self, data: st.DataObject, twice: bool) -> None:
        hold = data.draw(st.sampled_from(list(self.held)))
        hold.release()
        if twice:
            hold.release()
        del self.held[hold]

    @rule(endpoint_id=st.sampled_from([A, B]))
    def lose(self, endpoint_id: EndpointId) -> None:
        self.load.forget(endpoint_id)
        self.held = {
            hold: (where, queued, context, counts and where != endpoint_id)
            for hold, (where, queued, context, counts) in self.held.items()
        }

    @rule(
        endpoint_id=st.sampled_from([A, B]),
        queued=st.integers(0, 5000),
        streams=st.integers(0, 5),
        context=st.integers(0, 5000),
    )
    def hear(self, endpoint_id: EndpointId, queued: int, streams: int, context: int) -> None:
        self.load.set_peers(endpoint_id, Load(queued, streams, context))

    @rule(
        endpoint_id=st.sampled_from([A, B]),
        running=st.integers(0, 9),
        waiting=st.integers(0, 9),
        is_alone=st.booleans(),
    )
    def correct(self, endpoint_id: EndpointId, running: int, waiting: int, is_alone: bool) -> None:
        self.load.correct(endpoint_id, running=running, waiting=waiting, is_alone=is_alone)

    @invariant()
    def own_figures_are_the_sum_of_what_is_held(self) -> None:
        for endpoint_id in (A, B):
            held = [
                (queued, context)
                for where, queued, context, counts in self.held.values()
                if counts and where == endpoint_id
            ]
            expected = Load(sum(queued for queued, _ in held), len(held), sum(context for _, context in held))
            assert own(self.load, endpoint_id) == expected

    @invariant()
    def nothing_is_negative(self) -> None:
        for account in self.load.of_each([A, B]):
            assert min(account.peer_queued, account.peer_streams, account.peer_context) >= 0
            assert min(account.foreign_queued, account.foreign_streams) >= 0

    def teardown(self) -> None:
        for hold in self.held:
            hold.release()
        for endpoint_id in (A, B):
            self.load.set_peers(endpoint_id, NOTHING)
            self.load.correct(endpoint_id, running=0, waiting=0)
        assert {} == self.load._accounts


AnyUse.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestAnyUse = AnyUse.TestCase
