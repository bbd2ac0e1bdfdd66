"""Prompts of /completions."""

import json

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.prompt import Prompt, read_prompt


@pytest.mark.parametrize(
    ("prompt", "measure"),
    [
        ("é!", Prompt(("é!".encode(),))),
        (["ab", "c"], Prompt((b"ab", b"c"), count=2)),
        ([1, 2, 3], Prompt((), 3)),
        ([[1, 2], [3]], Prompt((), 3, 2)),
    ],
)
def test_texts_are_kept_and_ids_are_counted(prompt: object, measure: Prompt) -> None:
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
