"""How much of the traffic one provider gets."""

from router.policy.allotment import Allotment
from router.policy.outcome import Verdict


def test_places_are_taken_and_given_back() -> None:
    allotment = Allotment(concurrent=2, per_min=None)
    assert [None, None] == [allotment.take(0.0) for _ in range(2)]
    refused = allotment.take(0.0)
    assert refused is not None
    assert (Verdict.OVERLOADED, 0.25) == (refused.verdict, refused.retry_after_s)
    allotment.give_back()
    assert allotment.take(0.0) is None
    assert (2, 1) == (allotment.under_way, allotment.refused)


def test_a_minutes_requests_come_back_with_time() -> None:
    allotment = Allotment(concurrent=None, per_min=2)
    assert [None, None] == [allotment.take(0.0) for _ in range(2)]
    refused = allotment.take(0.0)
    assert refused is not None
    assert (Verdict.RATE_LIMITED, 30.0) == (refused.verdict, refused.retry_after_s)
    assert 2 == allotment.under_way
    assert allotment.take(30.0) is None


def test_what_is_beyond_is_no_fault_and_another_may_do_better() -> None:
    for allotment in (Allotment(concurrent=1, per_min=None), Allotment(concurrent=None, per_min=1)):
        allotment.take(0.0)
        refused = allotment.take(0.0)
        assert refused is not None
        assert (True, False) == (refused.verdict.is_retryable, refused.verdict.is_fault)


def test_without_limits_all_may() -> None:
    allotment = Allotment(concurrent=None, per_min=None)
    assert {None} == {allotment.take(0.0) for _ in range(1_000)}
