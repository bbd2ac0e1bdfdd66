"""Stretches of an engine's counters that belong together."""

import pytest

from router.store.engine_runs import Span, runs


def span(began: float, low: int, ended: float, high: int) -> Span:
    """One token generated for each two of the prompt."""
    return Span(began, ended, (low, low // 2), (high, high // 2))


@pytest.mark.parametrize(
    ("spans", "prompt_tokens"),
    [
        ([], []),
        ([span(0, 10, 9, 50)], [40]),
        ([span(0, 10, 9, 50), span(3, 24, 12, 80)], [70]),  # both saw the same engine
        ([span(3, 24, 12, 80), span(0, 10, 9, 50)], [70]),
        ([span(0, 10, 9, 50), span(20, 60, 30, 90)], [80]),  # nobody looked in between
        ([span(0, 10, 9, 50), span(20, 30, 30, 90)], [40, 60]),  # nor when it started again
        ([span(0, 0, 9, 50), span(10, 0, 19, 30), span(11, 0, 21, 40)], [50, 40]),  # both saw it start again
        ([span(0, 0, 9, 50), span(1, 0, 8, 48), span(10, 0, 19, 30)], [50, 30]),
        ([span(0, 0, 0, 0), span(1, 0, 9, 50)], [0, 50]),
    ],
)
def test_runs_of_an_engine(spans: list[Span], prompt_tokens: list[int]) -> None:
    assert prompt_tokens == [run.tokens[0] for run in runs(spans)]
