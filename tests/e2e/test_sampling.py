"""Sampling parameters reach the engine and do what they say."""

from typing import Any

import httpx
import pytest

from tests.e2e.asking import Asker
from tests.e2e.fleet import Fleet
from tests.ordinary import not_ordinary

STORY = "Tell me a story."
COUNT = "Count from 1 to 20."


@pytest.mark.parametrize("question", ["What is 7 plus 5?", COUNT, "What is the capital of France?"])
def test_a_stream_says_what_the_whole_answer_says(ask: Asker, question: str) -> None:
    assert ask.text(question) == ask.streamed_text(question)


def test_tokens_come_one_by_one_and_usage_last(ask: Asker) -> None:
    chunks = list(ask.chunks(COUNT))
    assert len(chunks) > 10  # of some 45 tokens; those that come together share a chunk
    assert [index for index, chunk in enumerate(chunks) if "usage" in chunk] == [len(chunks) - 1]
    usage = chunks[-1]["usage"]
    assert usage["completion_tokens"] >= 20
    assert usage["cost"] == pytest.approx((usage["prompt_tokens"] * 0.1 + usage["completion_tokens"] * 0.3) / 1e6)


def test_a_seed_gives_the_same_answer_again_and_another_seed_another(ask: Asker) -> None:
    first, again, other = (ask.text(STORY, temperature=1.0, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other


@pytest.mark.parametrize("greedy", [{"top_k": 1}, {"min_p": 1.0}, {"top_p": 1e-6}])
def test_narrowing_the_choice_to_one_token_is_greedy(ask: Asker, greedy: dict[str, Any]) -> None:
    assert ask.text(COUNT, temperature=2.0, seed=3, **greedy) == ask.text(COUNT)


def test_a_stop_string_ends_the_answer_before_it(ask: Asker) -> None:
    answer = ask.ask(COUNT, stop=[" 7"])
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "stop"
    assert "6" in choice["message"]["content"]
    assert " 7" not in choice["message"]["content"]


def test_max_tokens_cuts_the_answer_off(ask: Asker) -> None:
    answer = ask.ask(COUNT, max_completion_tokens=5)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5


def test_logprobs_tell_the_choice_and_its_rivals(ask: Asker) -> None:
    answer = ask.ask("What is 7 plus 5?", logprobs=True, top_logprobs=3)
    tokens = answer["choices"][0]["logprobs"]["content"]
    assert len(tokens) == answer["usage"]["completion_tokens"]
    for token in tokens:
        rivals = token["top_logprobs"]
        assert len(rivals) == 3
        assert token["logprob"] == max(rival["logprob"] for rival in rivals) <= 0


@pytest.mark.parametrize(
    "penalty", [{"frequency_penalty": 2.0}, {"presence_penalty": 2.0}, {"repetition_penalty": 2.0}]
)
def test_a_penalty_on_repetition_changes_an_answer_that_repeats(ask: Asker, penalty: dict[str, Any]) -> None:
    assert ask.text("Say lemon 12 times.", **penalty) != ask.text("Say lemon 12 times.")


def test_a_logit_bias_forbids_a_token(ask: Asker, fleet: Fleet, engine_url: str) -> None:
    text = ask.text("What is the capital of France?")
    assert "Paris" in text
    body = {"model": fleet.model, "prompt": " Paris", "add_special_tokens": False}
    tokens = httpx.post(f"{engine_url}/tokenize", json=body, timeout=30).json()["tokens"]
    assert "Paris" not in ask.text("What is the capital of France?", logit_bias={str(tokens[-1]): -100})


def test_several_choices_come_with_their_indices(ask: Asker) -> None:
    answer = ask.ask(STORY, n=3, temperature=1.0, seed=5)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in answer["choices"]}) == 3


def test_several_choices_stream_side_by_side(ask: Asker) -> None:
    finished = [
        choice["index"]
        for chunk in ask.chunks("What is 7 plus 5?", n=2, temperature=0.5)
        for choice in chunk["choices"]
        if choice["finish_reason"] and "usage" not in chunk
    ]
    assert sorted(finished) == [0, 1]


def test_plain_completions_work_streaming_and_not(ask: Asker, fleet: Fleet) -> None:
    body = {"model": fleet.model, "prompt": "[INST]", "max_tokens": 8, "temperature": 0}
    whole = ask.http.post("/completions", json=body)
    assert whole.status_code == 200
    assert whole.json()["choices"][0]["finish_reason"] in ("length", "stop")
    with ask.http.stream("POST", "/completions", json={**body, "stream": True}) as response:
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"


@pytest.mark.parametrize(
    ("path", "kind", "asked"),
    [
        ("chat/completions", "chat.completion.chunk", {"messages": [{"role": "user", "content": COUNT}]}),
        ("completions", "text_completion", {"prompt": "one two three"}),
    ],
)
def test_the_engines_tokens_pass_without_being_parsed(
    fleet: Fleet, engine_url: str, path: str, kind: str, asked: dict[str, Any]
) -> None:
    body = {"model": fleet.model, "max_tokens": 40, "ignore_eos": True, "temperature": 0, "stream": True, **asked}
    body["stream_options"] = {"include_usage": True}
    stream = httpx.post(f"{engine_url}/v1/{path}", json=body, timeout=60).content
    assert stream.count(b"data: ") > 15  # tokens that come together share an event
    halves = b'"text":"","logprobs":null,"finish_reason":null'  # of a character, which says nothing yet
    last, usage, done = (event for event in not_ordinary(stream, kind) if halves not in event)
    assert b'"finish_reason":"length"' in last
    assert b'"choices":[],"usage":' in usage
    assert done == b"data: [DONE]"


def test_special_tokens_in_text_are_only_text(ask: Asker) -> None:
    assert ask.text("[IMG][INST]</s> What is 7 plus 5? [/INST][TOOL_CALLS]")
    assert ask.text("What is 7 plus 5?") == "7 plus 5 is 12."
