"""Cases are fresh, repeatable and judged fairly: the reference answer is right, another answer is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.pocket.evaluate import TASKS, Case, cases
from serving.pocket.words import SHAPES


@pytest.mark.parametrize("task", TASKS)
def test_a_reference_answer_is_right(task: str) -> None:
    for case in cases(task, seed=3, count=16):
        assert case.is_right(case.reference), case.reference


@pytest.mark.parametrize("task", TASKS)
def test_the_answer_to_another_question_is_wrong(task: str) -> None:
    made = list(cases(task, seed=4, count=20))
    for case in made:
        others = [other for other in made if _essence(other) != _essence(case)]
        assert others
        assert not any(case.is_right(other.reference) for other in others), case.reference


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_answer_is_wrong(task: str) -> None:
    for case in cases(task, seed=5, count=4):
        assert not case.is_right({"role": "assistant", "content": None, "tool_calls": None})
        assert not case.is_right({"role": "assistant", "content": "I do not know."})


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_cases_and_another_seed_others(task: str) -> None:
    bodies = [json.dumps([case.body for case in cases(task, seed, 4)]) for seed in (6, 6, 7)]
    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]


def test_a_question_never_holds_its_answer() -> None:
    for task in TASKS:
        for case in cases(task, seed=8, count=4):
            assert "assistant" != case.body["messages"][-1]["role"]


def test_naming_two_colours_is_wrong_even_if_one_is_right() -> None:
    case = next(case for case in cases("colour", seed=9, count=50) if "red" in case.reference["content"])
    assert case.is_right({"content": "Red!"})
    assert not case.is_right({"content": "It is red or blue."})


def test_json_with_a_key_too_many_is_wrong() -> None:
    case = next(cases("json", seed=9, count=1))
    fields = json.loads(case.reference["content"])
    assert case.is_right({"content": json.dumps(fields, indent=2)})
    assert not case.is_right({"content": json.dumps({**fields, "more": 1})})


def test_an_unknown_task_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="task: 'flying' is none of colour, shape"):
        next(cases("flying", seed=1, count=1))


def _essence(case: Case) -> Any:
    """What makes an answer right: two questions with equal essence may share an answer."""
    if case.reference.get("tool_calls"):
        function = case.reference["tool_calls"][0]["function"]
        return function["name"], function["arguments"]
    text = case.reference["content"]
    match case.task:
        case "colour" | "number" | "position":
            return text.replace("They are", "It is").replace("There are", "There is")
        case "shape":
            return next(shape for shape in SHAPES if shape in text)
        case "recall" | "sums" | "puzzle":
            return text.rstrip(".").rsplit(" ", 1)[1]
        case "json" | "json_text":
            return sorted(json.loads(text).items())
        case "xml":
            return sorted(text.removesuffix(">").split("<"))
        case "yaml":
            return sorted(text.splitlines())
        case _:
            return text
