"""Prompts of /completions."""

import json

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.prompt import Prompt, read_prompt


@pytest.mark.parametrize(
    ("prompt", "measure"),
    [
        ("é!", Prompt(1, 3, 0)),
        (["ab", "c"], Prompt(2, 3, 0)),
        ([1, 2, 3], Prompt(1, 0, 3)),
        ([[1, 2], [3]], Prompt(2, 0, 3)),
    ],
)
def test_texts_are_measured_in_bytes_and_ids_in_tokens(prompt: object, measure: Prompt) -> None:
    assert measure == read_prompt(json.dumps(prompt).encode(), Limits())


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ([], "must not be empty"),
        ([[1], []], "must not be empty"),
        ([1, "a"], "cannot be mixed"),
        ([1, [2]], "cannot be mixed"),
        (["a", [2]], "cannot be mixed"),
        ([-1], "must be a string, an array"),
        ({"a": 1}, "must be a string, an array"),
        (["a"] * 17, "at most 16 prompts, got 17"),
    ],
)
def test_other_prompts_are_refused(prompt: object, problem: str) -> None:
    with pytest.raises(ApiError, match=f"prompt: .*{problem}") as caught:
        read_prompt(json.dumps(prompt).encode(), Limits())
    assert "prompt" == caught.value.field
