"""Alive or dead, told by iterations alone."""

from hypothesis import given
from hypothesis import strategies as st

from serving.progress import Progress


def test_an_engine_with_work_that_stands_still_is_dead_after_a_while() -> None:
    progress = Progress(stall_s=30)
    assert progress.observe(100, iterations=7, busy=True)
    assert progress.observe(130, iterations=7, busy=True)
    assert not progress.observe(130.1, iterations=7, busy=True)


def test_any_iteration_counts_as_life() -> None:
    progress = Progress(stall_s=30)
    assert all(progress.observe(now, iterations=now, busy=True) for now in range(0, 1000, 29))


def test_an_idle_engine_is_alive_however_long_it_rests() -> None:
    progress = Progress(stall_s=30)
    assert progress.observe(0, iterations=7, busy=False)
    assert progress.observe(10_000, iterations=7, busy=False)


def test_work_after_a_long_rest_gets_its_full_time() -> None:
    progress = Progress(stall_s=30)
    assert progress.observe(0, iterations=7, busy=False)
    assert progress.observe(10_000, iterations=7, busy=True)
    assert progress.observe(10_030, iterations=7, busy=True)
    assert not progress.observe(10_031, iterations=7, busy=True)


def test_an_engine_that_moves_again_is_alive_again() -> None:
    progress = Progress(stall_s=30)
    progress.observe(0, iterations=7, busy=True)
    assert not progress.observe(31, iterations=7, busy=True)
    assert progress.observe(32, iterations=8, busy=True)


@given(st.lists(st.tuples(st.floats(0.1, 9), st.booleans(), st.booleans()), max_size=50))
def test_dead_means_work_and_no_iteration_for_longer_than_the_limit(looks: list[tuple[float, bool, bool]]) -> None:
    progress, now, iterations = Progress(stall_s=30), 0.0, 0
    still_since: float | None = None
    for step, moved, busy in looks:
        now += step
        iterations += moved
        if not busy:
            still_since = None
        elif moved or still_since is None:
            still_since = now
        alive = progress.observe(now, iterations, busy)
        assert (still_since is None or now - still_since <= 30) == alive
