from pathlib import Path

import pytest

from bench.fleet.plot import draw
from bench.fleet.sizing import guess, smallest
from bench.fleet.tally import Result
from bench.fleet.work import Work, run_all

SMALL = Work("generated", 1.0, generated=600)


def test_the_smallest_fleet_that_is_enough_is_found_and_one_less_is_not() -> None:
    told: list[tuple[int, float]] = []
    size = smallest(SMALL, 0.9, 40, lambda work, result: told.append((work.replicas, result.goodput)))
    assert size.replicas is not None
    assert size.result.goodput >= 0.9
    assert size.runs[size.replicas - 1].goodput < 0.9
    assert dict(told) == {replicas: result.goodput for replicas, result in size.runs.items()}
    assert len(told) == len(size.runs)
    assert max(size.runs) > size.replicas


def test_a_single_replica_may_be_enough() -> None:
    size = smallest(Work("generated", 0.1, generated=200), 0.5, 8, lambda work, result: None)
    assert 1 == size.replicas


def test_the_largest_fleet_allowed_may_be_too_small() -> None:
    size = smallest(Work("generated", 4.0, generated=300), 0.99, 2, lambda work, result: None)
    assert size.replicas is None
    assert size.result is size.runs[2]
    with pytest.raises(ValueError, match="most must be at least 1"):
        smallest(SMALL, 0.9, 0, lambda work, result: None)


def test_the_first_guess_follows_the_load() -> None:
    assert 2 * guess(SMALL) - 2 <= guess(Work("generated", 2.0, generated=600)) <= 2 * guess(SMALL) + 2


def test_work_done_by_other_processes_gives_the_same_results_in_the_same_order() -> None:
    works = [Work("generated", factor, generated=100) for factor in (1.0, 2.0)]
    alone, shared = (list(run_all(works, processes)) for processes in (1, 2))
    assert works == [work for work, _ in alone] == [work for work, _ in shared]
    assert [_figures(result) for _, result in alone] == [_figures(result) for _, result in shared]


def test_the_curves_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    size = smallest(Work("generated", 0.2, generated=200), 0.5, 8, lambda work, result: None)
    path = tmp_path / "plan.png"
    draw(path, [("h200", size)], {"h200": 3.5}, 0.5, "title")
    assert path.read_bytes().startswith(b"\x89PNG")


def _figures(result: Result) -> tuple[float, ...]:
    return (result.offered, result.good, *result.first_token_s, *result.pace_s)
