from random import Random

import pytest

from bench.decision import BLOCKS, fleet, full_index, row, timed


def test_half_of_the_endpoints_hold_the_prompt_to_different_depths() -> None:
    made = fleet(64, "shadow-price", Random(1))
    depths = made.index.depths(made.calls[0].prefix.hashes)
    assert {endpoint.id for endpoint in made.endpoints[::2]} == depths.keys()
    assert len(set(depths.values())) > 16


@pytest.mark.parametrize("is_overloaded", [False, True])
def test_an_overloaded_fleet_is_late_everywhere(is_overloaded: bool) -> None:
    made = fleet(16, "shadow-price", Random(1), is_overloaded=is_overloaded)
    assert is_overloaded == (made.picker.decide(made.endpoints, made.calls[0], 0.0).late_s > 0)
    made.decide(0)


def test_the_index_to_be_updated_is_full() -> None:
    assert 10 * BLOCKS == len(full_index(4, Random(1), 10 * BLOCKS))


def test_every_step_is_timed() -> None:
    done: list[int] = []
    took = timed([lambda: done.append(1), lambda: done.append(2)])
    assert [1, 2] == done
    assert 2 == len([each for each in took if each >= 0])


def test_a_row_tells_whether_the_goal_is_reached() -> None:
    took = [float(each) for each in range(1, 101)]
    assert "| decision | 16 | 50 | 99 | ≤ 50 |" == row("decision", 16, took, 50.0)
    assert "| decision | 16 | 50 | 99 | ≤ 49 (missed) |" == row("decision", 16, took, 49.0)
    assert "| update | 16 | 50 | 99 | – |" == row("update", 16, took)
