"""Turns of batches, and what becomes of a request that failed."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.batch import Again, Ready, RetrySettings, Status, fate, turns

SETTINGS = RetrySettings(attempts=3, backoff_s=2.0, longest_backoff_s=10.0)


class Middle(Random):
    def uniform(self, a: float, b: float) -> float:
        return b


def decide(status: int, failures: int = 0, retry_after_s: float | None = None) -> Again | None:
    return fate(status, failures, retry_after_s, SETTINGS, Middle())


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 413, 422, 501])
def test_what_waiting_does_not_cure_is_the_result(status: int) -> None:
    assert decide(status) is None


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_what_failed_is_tried_again_so_often(status: int) -> None:
    assert [Again(2.0, 1), Again(4.0, 2), None] == [decide(status, failures) for failures in range(3)]


@pytest.mark.parametrize("status", [429, 503])
def test_for_room_it_waits_as_long_as_its_batch_has_time(status: int) -> None:
    assert Again(2.0, 0) == decide(status)
    assert Again(8.0, 2) == decide(status, 2)
    assert Again(60.0, 0) == decide(status, retry_after_s=60.0)
    assert decide(status, 3) is None


def test_a_delay_has_its_limit() -> None:
    many = RetrySettings(attempts=10_000, longest_backoff_s=10.0)
    assert Again(10.0, 5_001) == fate(500, 5_000, 1.0, many, Middle())


def test_those_that_failed_together_do_not_come_back_together() -> None:
    delays = {again.delay_s for seed in range(9) if (again := fate(500, 0, None, SETTINGS, Random(seed)))}
    assert 9 == len(delays)
    assert all(1.0 <= delay <= 2.0 for delay in delays)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: RetrySettings(attempts=0), "attempts must be"),
        (lambda: RetrySettings(backoff_s=0.0), "backoff_s must be"),
        (lambda: RetrySettings(backoff_s=5.0, longest_backoff_s=4.0), "backoff_s must be"),
    ],
)
def test_settings_out_of_range_are_told(make: Callable[[], object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()


def test_which_statuses_are_the_last() -> None:
    assert {"completed", "failed", "expired", "cancelled"} == {each.value for each in Status if each.is_over}


def test_workspaces_take_turns_and_then_their_batches() -> None:
    ready = [Ready(f"big-{number}", "big") for number in range(9)] + [Ready("small", "small")]
    shares = turns(ready, 10, Random(1))
    assert 5 == shares["small"]
    assert [1] * 5 == [share for batch, share in shares.items() if batch != "small"]


def test_nobody_has_a_turn_where_nothing_is_ready() -> None:
    assert {} == turns([], 10, Random(1))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), unique_by=lambda each: each[0]), st.integers(0, 50))
def test_all_turns_are_taken_by_those_who_are_ready(names: list[tuple[int, int]], most: int) -> None:
    ready = [Ready(f"{batch}", f"{workspace}") for batch, workspace in names]
    shares = turns(ready, most, Random(0))
    assert (most if ready else 0) == sum(shares.values())
    assert set(shares) <= {each.batch for each in ready}
