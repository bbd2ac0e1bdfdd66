import pytest

from bench.live.client import Seen
from bench.live.figures import HEAD, Figures, Goal, table
from bench.live.request import Asked

ASKED = Asked(0.0, b"", 100)


def seen(first_s: float = 1.0, whole_s: float = 2.0, prompt: int = 1000, cached: int = 0, tokens: int = 11) -> Seen:
    return Seen(ASKED, first_s, whole_s, prompt, cached, tokens)


def failed(failure: str, *, is_refused: bool = False) -> Seen:
    return Seen(ASKED, failure=failure, is_refused=is_refused)


def test_an_answer_is_good_within_two_seconds_or_twice_its_own_time() -> None:
    goal = Goal(first_s=2.0, rate=10_000.0, token_s=0.1)
    assert goal.is_met(seen(2.0, 3.0))
    assert not goal.is_met(seen(2.1, 3.0))
    assert goal.is_met(seen(4.0, 5.0, prompt=20_000))
    assert not goal.is_met(seen(4.1, 5.0, prompt=20_000))


def test_an_answer_that_dribbles_or_fails_is_not_good() -> None:
    assert not Goal().is_met(seen(1.0, 2.2))  # 0.12 s a token
    assert Goal().is_met(seen(1.0, 9.0, tokens=1))
    assert not Goal().is_met(failed("status 500"))


def test_shares_are_of_all_requests_and_times_of_whole_answers() -> None:
    every = [seen(1.0, 2.0, cached=500), seen(3.0, 4.0), failed("status 503", is_refused=True), failed("reset")]
    figures = Figures.of(every, Goal())
    assert (4, 0.25, 0.25, 0.25) == (figures.requests, figures.good, figures.refused, figures.failed)
    assert (2.0, 1.0, 3.0) == (figures.first_mean_s, figures.first_p50_s, figures.first_p99_s)
    assert (0.1, 0.25) == (figures.token_mean_s, figures.cached)


def test_a_run_without_answers_has_no_figures() -> None:
    with pytest.raises(ValueError, match="no request was answered: status 500"):
        Figures.of([failed("status 500")], Goal())
    with pytest.raises(ValueError, match="none was sent"):
        Figures.of([], Goal())


def test_the_table_has_a_row_per_run() -> None:
    lines = table([Figures.of([seen()], Goal()).row("shadow-price")]).splitlines()
    assert 3 == len(lines)
    assert len({len(line) for line in lines}) == 1
    assert len(HEAD) + 1 == lines[2].count("|")
    assert "| shadow-price |" in lines[2]
