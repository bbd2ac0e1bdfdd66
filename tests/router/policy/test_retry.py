import pytest

from router.policy.outcome import Verdict
from router.policy.retry import RetryPolicy, RetrySettings


def test_only_what_another_endpoint_may_better_is_retried() -> None:
    policy = RetryPolicy(RetrySettings())
    assert {Verdict.RATE_LIMITED, Verdict.OVERLOADED, Verdict.UNAVAILABLE, Verdict.TIMEOUT} == {
        verdict for verdict in Verdict if policy.allows(verdict, 1)
    }


def test_attempts_end_at_the_maximum() -> None:
    policy = RetryPolicy(RetrySettings(max_attempts=3))
    assert [True, True, False, False] == [policy.allows(Verdict.UNAVAILABLE, made) for made in (1, 2, 3, 4)]


def test_one_attempt_means_no_retry() -> None:
    assert not RetryPolicy(RetrySettings(max_attempts=1)).allows(Verdict.UNAVAILABLE, 1)


def test_less_than_one_attempt_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="max_attempts must be at least 1, got 0"):
        RetrySettings(max_attempts=0)
