"""Fields that a pool does not obey."""

from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Pool
from router.policy.parameters import KNOWN, unsupported

NAMES = st.frozensets(st.sampled_from([*sorted(KNOWN), "safe_prompt", "stream", "user"]))


def pool(*parameters: str) -> Pool:
    return Pool("p", "m", "m", parameters=frozenset(parameters))


def test_known_parameters_that_a_pool_does_not_name_are_unsupported() -> None:
    assert {"top_a"} == unsupported(frozenset({"temperature", "top_a"}), pool("temperature"))
    assert not unsupported(frozenset({"temperature"}), pool("temperature"))


def test_a_field_that_nobody_knows_is_meant_for_some_engine() -> None:
    assert not unsupported(frozenset({"safe_prompt", "stream"}), pool("temperature"))


def test_a_pool_that_names_no_parameters_is_taken_to_obey_all() -> None:
    assert not unsupported(KNOWN, pool())


def test_both_names_of_the_longest_answer_mean_the_same() -> None:
    assert not unsupported(frozenset({"max_completion_tokens"}), pool("max_tokens"))
    assert {"seed"} == unsupported(frozenset({"max_tokens", "seed"}), pool("max_completion_tokens"))


@given(NAMES, NAMES)
def test_only_known_parameters_of_the_request_can_be_unsupported(asked: frozenset[str], obeyed: frozenset[str]) -> None:
    found = unsupported(asked, pool(*obeyed))
    assert found <= asked & KNOWN
    assert not found & obeyed
