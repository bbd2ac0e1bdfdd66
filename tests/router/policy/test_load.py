import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import EndpointId
from router.policy.load import TokenLoad

A, B = EndpointId("a"), EndpointId("b")


def test_an_endpoint_that_was_never_used_has_no_load() -> None:
    load = TokenLoad()
    assert (0, 0) == (load.outstanding(A), load.streams(A))


def test_tokens_are_counted_for_the_endpoint_they_were_sent_to() -> None:
    load = TokenLoad()
    load.take(A, 100, 20)
    load.take(A, 3, 4)
    load.take(B, 1, 1)
    assert (127, 2) == (load.outstanding(A), load.streams(A))
    assert (2, 1) == (load.outstanding(B), load.streams(B))


def test_the_first_token_frees_the_prompt_and_the_release_frees_the_rest() -> None:
    load = TokenLoad()
    hold = load.take(A, 100, 20)
    hold.first_token()
    assert (20, 1) == (load.outstanding(A), load.streams(A))
    hold.release()
    assert (0, 0) == (load.outstanding(A), load.streams(A))


def test_a_hold_of_a_forgotten_endpoint_leaves_its_successor_of_the_same_name_alone() -> None:
    load = TokenLoad()
    old = load.take(A, 100, 20)
    load.forget(A)
    assert 0 == load.outstanding(A)
    load.take(A, 5, 5)
    old.release()
    assert (10, 1) == (load.outstanding(A), load.streams(A))


def test_forgetting_an_unknown_endpoint_is_allowed() -> None:
    TokenLoad().forget(A)


@pytest.mark.parametrize("tokens", [(-1, 0), (0, -1)])
def test_a_negative_number_of_tokens_is_refused(tokens: tuple[int, int]) -> None:
    load = TokenLoad()
    with pytest.raises(ValueError, match="must not be negative"):
        load.take(A, *tokens)
    assert 0 == load.streams(A)


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=20),
    st.data(),
)
def test_held_tokens_return_to_zero_whatever_the_order_of_releases(
    requests: list[tuple[EndpointId, int, int]], data: st.DataObject
) -> None:
    load = TokenLoad()
    holds = [load.take(*request) for request in requests]
    calls = [call for hold in holds for call in (hold.first_token, hold.release, hold.release)]
    for call in data.draw(st.permutations(calls)):
        call()
        assert min(load.outstanding(A), load.outstanding(B)) >= 0
    assert (0, 0) == (load.outstanding(A), load.outstanding(B))
    assert (0, 0) == (load.streams(A), load.streams(B))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=9), st.integers(0, 9))
def test_what_is_outstanding_is_the_sum_of_what_is_held(requests: list[tuple[int, int]], released: int) -> None:
    load = TokenLoad()
    holds = [load.take(A, *request) for request in requests]
    for hold in holds[:released]:
        hold.release()
    assert sum(prompt + completion for prompt, completion in requests[released:]) == load.outstanding(A)
