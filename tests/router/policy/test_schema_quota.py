"""How many different grammars an account may have compiled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.schema_quota import SchemaQuota, SchemaQuotaSettings

TWO = SchemaQuotaSettings(distinct=2, window_s=10, remembered=5)


def test_what_was_used_before_costs_nothing_more() -> None:
    quota = SchemaQuota(TWO)
    assert [None] * 4 == [quota.admit("a", grammar, 0) for grammar in (1, 2, 1, 2)]
    assert 2 == len(quota)


def test_what_is_new_waits_until_the_one_used_longest_ago_has_left_the_window() -> None:
    quota = SchemaQuota(TWO)
    quota.admit("a", 1, 0)
    quota.admit("a", 2, 1)
    quota.admit("a", 1, 2)
    assert 8 == quota.admit("a", 3, 3)
    assert quota.admit("a", 3, 11) is None
    assert 2 == len(quota)


def test_accounts_do_not_share_their_quota() -> None:
    quota = SchemaQuota(TWO)
    assert [None] * 4 == [quota.admit(account, grammar, 0) for account in "ab" for grammar in (1, 2)]


@given(uses=st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 6), st.floats(0, 4)), max_size=60))
def test_no_account_has_more_than_its_share_and_memory_is_bounded(uses: list[tuple[str, int, float]]) -> None:
    quota, now = SchemaQuota(TWO), 0.0
    admitted: dict[str, dict[int, float]] = {}
    for account, grammar, passed in uses:
        now += passed
        if quota.admit(account, grammar, now) is None:
            admitted.setdefault(account, {})[grammar] = now
        assert len(quota) <= TWO.remembered
    if len(admitted) == 1:  # nobody was forgotten
        (used,) = admitted.values()
        assert sum(at > now - TWO.window_s for at in used.values()) <= TWO.distinct


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"distinct": 0}, "distinct"), ({"window_s": 0}, "window_s"), ({"remembered": 1}, "remembered")],
)
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, int], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} must"):
        SchemaQuotaSettings(**settings)
