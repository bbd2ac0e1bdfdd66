import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.rate import Bucket

SIZES = st.integers(1, 10**9)
TIMES = st.floats(0, 1e7)


def test_a_whole_minutes_worth_may_come_at_once() -> None:
    bucket = Bucket(3)
    assert [True, True, True, False] == [bucket.take(1, 5.0) for _ in range(4)]
    assert 0 == bucket.remaining(5.0)


def test_it_fills_continuously() -> None:
    bucket = Bucket(6)
    assert bucket.take(6, 0.0)
    assert [0, 0, 1, 3, 6, 6] == [bucket.remaining(now) for now in (0.0, 9.0, 10.0, 30.0, 60.0, 600.0)]


def test_what_was_not_taken_costs_nothing() -> None:
    bucket = Bucket(10)
    assert bucket.take(8, 0.0)
    assert not bucket.take(3, 0.0)
    assert 2 == bucket.remaining(0.0)


def test_what_is_given_back_may_be_taken_again() -> None:
    bucket = Bucket(10)
    assert bucket.take(10, 0.0)
    bucket.give_back(4, 0.0)
    assert 4 == bucket.remaining(0.0)


def test_it_never_holds_more_than_a_minutes_worth() -> None:
    bucket = Bucket(10)
    assert bucket.take(10, 0.0)
    bucket.give_back(10, 30.0)
    assert 10 == bucket.remaining(30.0)
    assert not bucket.take(10, 30.0) or bucket.remaining(30.0) == 0


def test_more_than_a_whole_bucket_is_given_by_a_full_one_which_is_in_debt_then() -> None:
    bucket = Bucket(10)
    assert bucket.take(25, 0.0)
    assert -15 == bucket.remaining(0.0)
    assert not bucket.take(1, 90.0)
    assert bucket.take(1, 96.0)
    assert not bucket.take(25, 100.0)
    assert bucket.take(25, 156.0)


def test_what_was_used_takes_the_place_of_what_was_taken() -> None:
    bucket = Bucket(100)
    assert bucket.take(50, 0.0)
    bucket.settle(50, 20, 0.0)
    assert 80 == bucket.remaining(0.0)
    bucket.settle(20, 20, 0.0)
    assert 80 == bucket.remaining(0.0)
    bucket.settle(20, 120, 0.0)
    assert -20 == bucket.remaining(0.0)


def test_it_says_when_to_come_back() -> None:
    bucket = Bucket(60)
    assert (0.0, 0.0) == (bucket.wait_s(60, 0.0), bucket.reset_s(0.0))
    assert bucket.take(60, 0.0)
    assert (1.0, 30.0, 60.0) == (bucket.wait_s(1, 0.0), bucket.wait_s(30, 0.0), bucket.reset_s(0.0))
    assert 60.0 == bucket.wait_s(1_000, 0.0)


def test_another_size_keeps_its_share_of_filling() -> None:
    bucket = Bucket(10)
    assert bucket.take(5, 0.0)
    bucket.size = 100
    assert 50 == bucket.remaining(0.0)
    bucket.size = 4
    assert 2 == bucket.remaining(0.0)


def test_a_bucket_says_what_it_is() -> None:
    assert "Bucket(10 a minute, full at -inf)" == repr(Bucket(10))


@given(SIZES, TIMES, st.lists(st.integers(1, 10**9), min_size=1, max_size=20), st.integers(1, 10**9))
def test_who_waits_as_long_as_told_gets_it(size: int, now: float, before: list[int], amount: int) -> None:
    bucket = Bucket(size)
    for each in before:
        bucket.charge(each, now)
    assert bucket.take(amount, now + bucket.wait_s(amount, now))


@given(
    st.integers(1, 1_000),
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 300), st.booleans()), min_size=1, max_size=60),
)
def test_over_any_time_no_more_is_taken_than_a_bucket_and_its_filling_and_one_more(
    size: int, events: list[tuple[float, int, bool]]
) -> None:
    bucket, now = Bucket(size), 0.0
    taken: list[tuple[float, int]] = []
    for pause, amount, is_returned in events:
        now += pause
        if bucket.take(amount, now):
            if is_returned:
                bucket.give_back(amount, now)
            else:
                taken.append((now, amount))
        assert bucket.remaining(now) <= size
    for first, (start, _) in enumerate(taken):
        for last in range(first, len(taken)):
            since = taken[last][0] - start
            most = size + size * since / 60 + max(0, max(amount for _, amount in taken) - size)
            assert sum(amount for _, amount in taken[first : last + 1]) <= most + 1e-3


@given(SIZES, TIMES, st.lists(st.integers(1, 10**6), max_size=10))
def test_all_that_is_given_back_makes_it_as_full_as_before(size: int, now: float, amounts: list[int]) -> None:
    bucket = Bucket(size)
    for amount in amounts:
        bucket.charge(amount, now)
    for amount in amounts:
        bucket.give_back(amount, now)
    assert bucket.take(size, now)


@pytest.mark.parametrize("amount", [1, 10, 11])
def test_a_full_bucket_never_refuses(amount: int) -> None:
    assert Bucket(10).take(amount, 0.0)
