"""Denials in OpenRouter's words, statuses and headers."""

import math

import pytest

from router.policy.key import NANO, Budget, Interval, Scope
from router.policy.quota import DenialReason, Denied, Standing
from router.protocol.denials import of_denial, rate_headers

NOON = 1_790_000_000.0
BUDGET = Budget(Scope.KEY, "key:k", Interval.DAILY, 5 * NANO)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (DenialReason.REQUESTS, "requests-per-minute"),
        (DenialReason.TOKENS, "tokens-per-minute"),
        (DenialReason.CONCURRENT, "concurrent-requests"),
    ],
)
def test_a_rate_is_429_with_when_to_come_back_and_what_is_left(reason: DenialReason, words: str) -> None:
    error = of_denial(Denied(reason, 20, 0, 2.5), NOON)
    assert (429, "rate_limit_exceeded", 2.5) == (error.status, error.error_type, error.retry_after_s)
    assert words in error.message
    assert {
        "x-ratelimit-limit": "20",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1790000002500",
    } == error.metadata["headers"]
    assert (b"x-ratelimit-limit", b"20") in error.headers


def test_nobody_is_told_to_come_back_within_the_same_second() -> None:
    assert 1.0 == of_denial(Denied(DenialReason.REQUESTS, 20, 0, 0.01), NOON).retry_after_s


def test_a_keys_own_limit_is_402_and_says_when_it_is_reset() -> None:
    error = of_denial(Denied(DenialReason.BUDGET_SPENT, BUDGET.limit, 0, 100.0, BUDGET), NOON)
    assert (402, "payment_required", None) == (error.status, error.error_type, error.retry_after_s)
    assert "Key daily budget of $5.00 exceeded" in error.message
    assert ("openrouter_key_limit", 1_790_035_200) == (error.metadata["limit_source"], error.metadata["resets_at"])


@pytest.mark.parametrize(("scope", "owner"), [(Scope.WORKSPACE, "Workspace"), (Scope.GUARDRAIL, "Guardrail")])
def test_a_budget_above_the_key_is_403_and_names_who_can_help(scope: Scope, owner: str) -> None:
    budget = Budget(scope, "workspace:w", Interval.LIFETIME, NANO // 2)
    error = of_denial(Denied(DenialReason.BUDGET_SPENT, budget.limit, 0, math.inf, budget), NOON)
    assert (403, f"{owner} lifetime budget of $0.50 exceeded. Contact your org admin.") == (error.status, error.message)
    assert error.metadata["resets_at"] is None


def test_what_is_only_reserved_is_402_with_a_time_to_try_again() -> None:
    error = of_denial(Denied(DenialReason.BUDGET_IN_FLIGHT, BUDGET.limit, 10, 2.0, BUDGET), NOON)
    assert (402, 2.0) == (error.status, error.retry_after_s)
    assert "openrouter_in_flight_budget" == error.metadata["limit_source"]
    assert "in_flight_budget_exhausted" == error.metadata["reason"]


def test_what_a_key_has_left_is_never_shown_as_less_than_nothing() -> None:
    assert (b"x-ratelimit-remaining", b"0") in rate_headers(Standing(5, -3, 1.0), NOON)
