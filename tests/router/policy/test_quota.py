import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from router.policy.key import ANONYMOUS, Budget, Interval, Key, Rates, Scope, Window
from router.policy.lending import Want
from router.policy.quota import DenialReason, Denied, Permit, Quotas, QuotaSettings, Standing
from tests.router.policy.bank import Bank

NOW = 86_400 * 365.0  # unix seconds
DAILY = Budget(Scope.GUARDRAIL, "key:a", Interval.DAILY, 50, "g1")
LIFETIME = Budget(Scope.KEY, "key:a", Interval.LIFETIME, 100)
KEY = Key("a", "A")
PAYING = replace(KEY, budgets=(DAILY, LIFETIME))


def quotas() -> Quotas:
    return Quotas(QuotaSettings())


def admitted(quotas: Quotas, key: Key = KEY, now: float = 0.0, routers: int = 1) -> Permit:
    permit = quotas.admit(key, now, routers)
    assert isinstance(permit, Permit)
    return permit


def borrowed(quotas: Quotas, bank: Bank, wants: Sequence[Want] | Denied | None, now: float = 0.0) -> None:
    assert wants
    assert not isinstance(wants, Denied)
    for grant in bank.borrow("r", wants):
        quotas.allowances.granted(grant, now)


def reserved(quotas: Quotas, bank: Bank, key: Key, cost: int, now: float = 0.0) -> Permit | Denied:
    """A request as the router has it: borrows what is short."""
    permit = admitted(quotas, key, now)
    for _ in range(2):
        answer = permit.reserve(1, cost, now, NOW)
        if answer is None:
            return permit
        if isinstance(answer, Denied):
            return answer
        borrowed(quotas, bank, answer, now)
    answer = permit.reserve(1, cost, now, NOW)
    assert isinstance(answer, Denied)
    return answer


def rated(**rates: int) -> Key:
    return replace(KEY, rates=Rates(**rates))


def test_a_key_may_send_so_many_requests_a_minute() -> None:
    mine, key = quotas(), rated(requests_per_min=3)
    for _ in range(3):
        admitted(mine, key).settle(1, 0, 0.0)
    assert Denied(DenialReason.REQUESTS, 3, 0, 20.0) == mine.admit(key, 0.0)
    assert isinstance(mine.admit(key, 20.0), Permit)


def test_a_key_may_have_so_many_requests_under_way() -> None:
    mine, key = quotas(), rated(concurrent=2)
    first, _ = admitted(mine, key), admitted(mine, key)
    assert Denied(DenialReason.CONCURRENT, 2, 0, 2.0) == mine.admit(key, 0.0)
    first.release(0.0)
    assert isinstance(mine.admit(key, 0.0), Permit)


def test_a_key_without_a_bound_of_its_own_has_the_common_one() -> None:
    mine = Quotas(QuotaSettings(concurrent=1))
    permit = mine.admit(Key("k", "k"), 0.0)
    assert Denied(DenialReason.CONCURRENT, 1, 0, 2.0) == mine.admit(Key("k", "k"), 0.0)
    assert isinstance(mine.admit(Key("wide", "wide", rates=Rates(concurrent=2)), 0.0), Permit)
    assert isinstance(permit, Permit)


def test_who_has_too_many_under_way_has_used_up_no_request_of_the_minute() -> None:
    mine, key = quotas(), rated(concurrent=1, requests_per_min=2)
    permit = admitted(mine, key)
    for _ in range(10):
        mine.admit(key, 0.0)
    assert Standing(2, 1, 30.0) == permit.standing(0.0)


def test_a_key_may_have_so_many_tokens_a_minute() -> None:
    mine, key = quotas(), rated(tokens_per_min=100)
    permit = admitted(mine, key)
    assert None is permit.reserve(70, 0, 0.0, NOW)
    assert Denied(DenialReason.TOKENS, 100, 30, 24.0) == admitted(mine, key).reserve(70, 0, 0.0, NOW)
    permit.settle(30, 0, 0.0)
    assert None is admitted(mine, key).reserve(70, 0, 0.0, NOW)


def test_an_answer_may_take_more_tokens_than_were_reserved() -> None:
    mine, key = quotas(), rated(tokens_per_min=100)
    permit = admitted(mine, key)
    assert None is permit.reserve(50, 0, 0.0, NOW)
    permit.settle(110, 0, 0.0)
    assert Denied(DenialReason.TOKENS, 100, 0, 12.0) == admitted(mine, key).reserve(10, 0, 0.0, NOW)


def test_a_rejected_request_has_taken_nothing() -> None:
    mine, key = quotas(), rated(tokens_per_min=100, requests_per_min=5, concurrent=1)
    for _ in range(20):
        permit = admitted(mine, key)
        assert None is permit.reserve(100, 0, 0.0, NOW)
        permit.release(0.0, is_ours=True)
    admitted(mine, key).settle(100, 0, 0.0)
    for _ in range(20):
        permit = admitted(mine, key)
        assert isinstance(permit.reserve(100, 0, 0.0, NOW), Denied)
        permit.release(0.0)  # the caller need not know that it has ended
    assert Standing(5, 4, 12.0) == admitted_standing(mine, key)


def admitted_standing(quotas: Quotas, key: Key) -> Standing | None:
    """How the key stands before another request."""
    permit = admitted(quotas, key)
    permit.release(0.0, is_ours=True)
    return permit.standing(0.0)


@pytest.mark.parametrize(("is_ours", "remaining"), [(False, 4), (True, 5)])
def test_a_request_that_failed_counts_unless_it_was_our_fault(is_ours: bool, remaining: int) -> None:
    mine, key = quotas(), rated(requests_per_min=5)
    admitted(mine, key).release(0.0, is_ours=is_ours)
    assert remaining == getattr(admitted_standing(mine, key), "remaining", None)
    mine = quotas()
    admitted(mine, key).settle(0, 0, 0.0, is_ours=is_ours)
    assert remaining == getattr(admitted_standing(mine, key), "remaining", None)


def test_routers_share_a_keys_rates_and_each_has_at_least_one_request() -> None:
    mine, key = quotas(), rated(requests_per_min=4, tokens_per_min=100, concurrent=3)
    permit, _ = admitted(mine, key, routers=2), admitted(mine, key, routers=2)
    assert Denied(DenialReason.CONCURRENT, 3, 0, 2.0) == mine.admit(key, 0.0, 2)
    permit.release(0.0)
    assert Denied(DenialReason.REQUESTS, 4, 0, 30.0) == mine.admit(key, 0.0, 2)
    assert isinstance(quotas().admit(rated(requests_per_min=1, concurrent=1), 0.0, 8), Permit)


def test_a_standing_is_that_of_all_routers_if_they_get_equal_parts() -> None:
    mine, key = quotas(), rated(requests_per_min=9)
    assert Standing(9, 8, 12.0) == admitted(mine, key, routers=2).standing(0.0)
    assert None is admitted(mine).standing(0.0)


def test_a_keys_rates_may_change_while_its_requests_are_under_way() -> None:
    mine = quotas()
    before = admitted(mine, rated(requests_per_min=2, tokens_per_min=100))
    assert None is before.reserve(50, 0, 0.0, NOW)
    assert isinstance(admitted(mine, rated(tokens_per_min=10)).reserve(6, 0, 0.0, NOW), Denied)
    after = admitted(mine)
    assert None is after.reserve(1_000, 0, 0.0, NOW)
    before.settle(10, 0, 0.0)
    after.settle(1_000, 0, 0.0)
    assert Standing(4, 3, 15.0) == admitted(mine, rated(requests_per_min=4)).standing(0.0)


def test_what_a_request_can_cost_is_borrowed_and_reserved_in_every_window() -> None:
    mine, bank = quotas(), Bank()
    permit = admitted(mine, PAYING)
    wants = permit.reserve(1, 10, 0.0, NOW)
    windows = [budget.window(NOW) for budget in PAYING.budgets]
    assert (Want(windows[0], 50, 10, 10), Want(windows[1], 100, 10, 10)) == wants
    assert 0 == mine.reserved
    borrowed(mine, bank, wants)
    assert None is permit.reserve(1, 10, 0.0, NOW)
    assert None is permit.reserve(1, 10, 0.0, NOW)  # which reserves nothing more
    assert (1, 10, 20) == (mine.in_flight, mine.reserved, mine.allowances.held)
    permit.settle(1, 4, 0.0)
    permit.settle(1, 4, 0.0)
    permit.release(0.0)
    assert (0, 0) == (mine.in_flight, mine.reserved)
    assert [4, 4] == [of.unwritten for window in windows if (of := mine.allowances.of(window))]


def test_tokens_are_taken_once_however_often_it_must_be_borrowed() -> None:
    mine, bank = quotas(), Bank()
    key = replace(PAYING, rates=Rates(tokens_per_min=100))
    permit = admitted(mine, key)
    wants = permit.reserve(60, 10, 0.0, NOW)
    assert wants == permit.reserve(60, 10, 0.0, NOW)
    borrowed(mine, bank, wants)
    assert None is permit.reserve(60, 10, 0.0, NOW)
    permit.release(0.0)
    assert None is admitted(mine, key).reserve(100, 0, 0.0, NOW)


def test_who_borrows_in_vain_gives_everything_back() -> None:
    mine = quotas()
    permit = admitted(mine, replace(PAYING, rates=Rates(tokens_per_min=100)))
    assert permit.reserve(60, 10, 0.0, NOW)
    permit.release(0.0, is_ours=True)
    assert (0, 0, 0) == (mine.in_flight, mine.reserved, mine.allowances.held)


def test_a_spent_budget_denies_and_says_when_it_is_reset() -> None:
    mine, bank = quotas(), Bank()
    bank.spent[DAILY.window(NOW)] = 50
    assert Denied(DenialReason.BUDGET_SPENT, 50, 0, 86_400.0, DAILY) == reserved(mine, bank, PAYING, 10)
    assert 0 == mine.in_flight
    mine, bank = quotas(), Bank()
    bank.spent[LIFETIME.window(NOW)] = 101
    assert Denied(DenialReason.BUDGET_SPENT, 100, 0, math.inf, LIFETIME) == reserved(mine, bank, PAYING, 10)


def test_a_budget_that_others_hold_is_denied_for_the_moment() -> None:
    mine, bank = quotas(), Bank()
    bank.spent[DAILY.window(NOW)] = 20
    bank.leases["other", DAILY.window(NOW)] = 30
    assert Denied(DenialReason.BUDGET_IN_FLIGHT, 50, 30, 2.0, DAILY) == reserved(mine, bank, PAYING, 10)


def test_a_refusal_is_told_again_without_asking() -> None:
    mine, bank = quotas(), Bank()
    bank.spent[DAILY.window(NOW)] = 50
    for _ in range(10):
        assert isinstance(reserved(mine, bank, PAYING, 10, now=0.5), Denied)
    assert 1 == bank.borrowings
    reserved(mine, bank, PAYING, 10, now=1.5)
    assert 2 == bank.borrowings


def test_a_free_request_is_never_denied_for_money() -> None:
    mine, bank = quotas(), Bank()
    bank.spent[DAILY.window(NOW)] = 50
    assert isinstance(reserved(mine, bank, PAYING, 10), Denied)
    assert isinstance(reserved(mine, bank, PAYING, 0), Permit)


def test_budgets_over_the_same_window_share_it_and_the_tightest_holds() -> None:
    key = replace(KEY, budgets=(replace(DAILY, limit=80, id="loose"), replace(DAILY, limit=30, id="tight")))
    mine, bank = quotas(), Bank()
    permits = [reserved(mine, bank, key, 10) for _ in range(4)]
    assert [Permit] * 3 == [type(permit) for permit in permits[:3]]
    assert Denied(DenialReason.BUDGET_IN_FLIGHT, 30, 30, 2.0, key.budgets[1]) == permits[3]
    assert 30 == mine.allowances.held


def test_the_first_budget_that_refuses_is_named() -> None:
    key = replace(KEY, budgets=(replace(DAILY, limit=80, id="loose"), replace(DAILY, limit=30, id="tight")))
    for spent, named in ((90, 0), (40, 1)):
        mine, bank = quotas(), Bank()
        bank.spent[DAILY.window(NOW)] = spent
        denied = reserved(mine, bank, key, 10)
        assert isinstance(denied, Denied)
        assert (DenialReason.BUDGET_SPENT, key.budgets[named]) == (denied.reason, denied.budget)


def test_at_most_one_estimate_is_overspent() -> None:
    mine, bank = quotas(), Bank()
    key = replace(KEY, budgets=(replace(LIFETIME, limit=95),))
    permits = [reserved(mine, bank, key, 10) for _ in range(200)]
    assert 10 == sum(isinstance(permit, Permit) for permit in permits)


def test_what_is_left_over_is_spent_in_the_end() -> None:
    """Ten for each request are reserved, and one is spent: the last one reserves more than there is."""
    mine, bank = quotas(), Bank()
    key = replace(KEY, budgets=(replace(LIFETIME, limit=50),))
    window = LIFETIME.window(NOW)
    for _ in range(50):
        permit = reserved(mine, bank, key, 10)
        assert isinstance(permit, Permit)
        permit.settle(1, 1, 0.0)
        bank.write("r", window, 1)
        mine.allowances.written(window, 1)
    denied = reserved(mine, bank, key, 10)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.BUDGET_SPENT


def test_a_permit_that_has_ended_reserves_nothing() -> None:
    permit = admitted(quotas())
    permit.release(0.0)
    with pytest.raises(ValueError, match="has ended"):
        permit.reserve(1, 1, 0.0, NOW)


def test_a_permit_says_what_it_is() -> None:
    permit = admitted(quotas())
    assert "Permit(A, admitted)" == repr(permit)
    permit.reserve(1, 5, 0.0, NOW)
    assert "Permit(A, reserved 5)" == repr(permit)
    permit.release(0.0)
    assert "Permit(A, ended)" == repr(permit)


def test_a_request_that_is_settled_without_being_reserved_costs_what_it_cost() -> None:
    mine = quotas()
    permit = admitted(mine, PAYING)
    assert permit.reserve(1, 10, 0.0, NOW)
    permit.settle(1, 4, 0.0)
    assert 0 == mine.reserved
    assert 4 == getattr(mine.allowances.of(LIFETIME.window(NOW)), "unwritten", None)


def test_keys_that_are_not_used_are_forgotten_but_not_while_a_request_is_under_way() -> None:
    mine = quotas()
    long = admitted(mine, replace(KEY, id="long"))
    for number in range(100):
        admitted(mine, replace(KEY, id=f"k{number}")).release(0.0)
    assert 101 == mine.keys
    for now in range(4_000, 4_060):
        admitted(mine, ANONYMOUS, float(now)).release(float(now))
    assert 2 == mine.keys
    long.release(5_000.0)
    admitted(mine, ANONYMOUS, 9_000.0).release(9_000.0)
    assert 1 == mine.keys


def test_a_key_in_debt_is_not_forgotten() -> None:
    mine, key = quotas(), rated(tokens_per_min=1)
    permit = admitted(mine, key)
    assert None is permit.reserve(1_000, 0, 0.0, NOW)
    permit.settle(1_000, 0, 0.0)
    assert isinstance(admitted(mine, key, 7_200.0).reserve(1, 0, 7_200.0, NOW), Denied)


@pytest.mark.parametrize("settings", [{"retry_s": -1.0}, {"forget_s": 0.0}, {"concurrent": 0}])
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        QuotaSettings(**settings)  # type: ignore[arg-type]


def test_a_request_counts_in_the_windows_of_its_arrival() -> None:
    mine = quotas()
    permit = admitted(mine, PAYING)
    wants = permit.reserve(1, 10, 0.0, NOW - 1)
    assert isinstance(wants, tuple)
    assert Window("key:a", Interval.DAILY, int(NOW) - 86_400) == wants[0].window
    assert wants == permit.reserve(1, 10, 0.0, NOW)
