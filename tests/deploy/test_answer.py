from itertools import count

import pytest

from deploy.answer import Answer
from deploy.problem import Problem
from tests.deploy.sse import ANSWER, DONE, USAGE, delta, event


def test_an_answer_is_its_pieces_then_its_figures() -> None:
    ticks = count(12)
    answer = Answer(iter((ANSWER + DONE).splitlines(keepends=True)), 10.0, lambda: float(next(ticks)))
    assert ["3 plus ", "4 is ", "7."] == list(answer)
    assert "3 plus 4 is 7." == answer.text
    assert (2.0, 4.0, 0.75) == (answer.first_token_s, answer.last_token_s, answer.tokens_per_s)
    assert (12, 3, 0.0000021, "stop") == (
        answer.prompt_tokens,
        answer.completion_tokens,
        answer.cost_usd,
        answer.finish_reason,
    )


def test_an_answer_without_text_has_no_speed() -> None:
    stream = delta("", "stop") + event(choices=[], usage={**USAGE, "completion_tokens": 1}) + DONE
    answer = Answer(iter(stream.splitlines(keepends=True)), 0.0, lambda: 1.0)
    assert [] == list(answer)
    assert answer.tokens_per_s is None


def test_a_stream_that_ends_early_is_a_problem_after_what_came() -> None:
    answer = Answer(iter(delta("3 plus").splitlines(keepends=True)), 0.0, lambda: 0.0)
    with pytest.raises(Problem, match="the answer broke off"):
        list(answer)
    assert "3 plus" == answer.text


def test_an_error_in_the_stream_is_a_problem_with_its_message() -> None:
    stream = delta("3 plus") + event(error={"code": 502, "message": "Provider returned error"}, choices=[]) + DONE
    with pytest.raises(Problem, match="the answer broke off: Provider returned error"):
        list(Answer(iter(stream.splitlines(keepends=True)), 0.0, lambda: 0.0))
