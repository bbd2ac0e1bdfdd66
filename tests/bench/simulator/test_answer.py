from array import array
from typing import Any

import msgspec
import pytest

from bench.simulator.answer import Answer, answer_to, check_length
from bench.simulator.ask import ChatAsk, Refused, read_chat
from bench.simulator.prompt import Prompt
from bench.simulator.tokenizer import FourBytes
from bench.simulator.words import Words

WORDS = Words(FourBytes().words, seed=0)
PROMPT = Prompt(array("I", range(50)))


def asked(**more: Any) -> ChatAsk:
    return read_chat(msgspec.json.encode({"messages": [{"role": "user", "content": "Hi"}], **more}))


def answer(prompt: Prompt = PROMPT, context: int = 1000, seed: int = 0, **more: Any) -> Answer:
    return answer_to(prompt, asked(**more), WORDS, context=context, median=100, seed=seed)


def test_an_answer_has_as_many_tokens_as_are_asked_for() -> None:
    given = answer(max_tokens=7)
    assert (7, "length", None) == (len(given.words), given.finish_reason, given.stop_reason)


def test_max_completion_tokens_goes_before_max_tokens() -> None:
    assert 5 == len(answer(max_tokens=7, max_completion_tokens=5).words)


def test_the_same_request_has_the_same_answer_and_another_seed_another() -> None:
    assert answer() == answer()
    assert answer() != answer(seed=1)
    assert answer() != answer(Prompt(array("I", range(51))))


def test_an_answer_without_limit_ends_by_itself() -> None:
    given = answer(context=100_000)
    assert "stop" == given.finish_reason
    assert b"" == given.words[-1].text
    lengths = sorted(len(answer(Prompt(array("I", range(count))), context=100_000).words) for count in range(1, 200))
    assert 60 < lengths[99] < 160


def test_an_answer_has_at_least_the_tokens_that_were_asked_for() -> None:
    assert len(answer(context=100_000, min_tokens=5000).words) > 5000
    assert 950 == len(answer(ignore_eos=True).words)


def test_an_answer_ends_where_the_context_does() -> None:
    given = answer(context=52)
    assert (2, "length") == (len(given.words), given.finish_reason)


def test_a_stop_string_ends_the_answer_before_it() -> None:
    text = answer(max_tokens=50).text.decode()
    stop = text[41:47]
    given = answer(max_tokens=50, stop=["nowhere", stop])
    assert text[: text.index(stop)] == given.text.decode()
    assert ("stop", stop) == (given.finish_reason, given.stop_reason)
    assert 50 == len(answer(max_tokens=50, stop=stop, min_tokens=50).words)


def refusal(prompt: Prompt, context: int, **more: Any) -> str:
    with pytest.raises(Refused) as refused:
        check_length(prompt, asked(**more), context)
    assert 400 == refused.value.status
    return str(refused.value)


def test_what_does_not_fit_into_the_context_is_refused_in_the_engines_words() -> None:
    check_length(PROMPT, asked(max_tokens=50), 100)
    assert refusal(PROMPT, 99, max_tokens=50).startswith(
        "This model's maximum context length is 99 tokens. However, you requested 50 output tokens and your prompt "
        "contains 50 input tokens, for a total of 100 tokens."
    )
    assert refusal(PROMPT, 40, max_tokens=50).startswith("max_tokens=50 cannot be greater than max_model_len=")
    assert refusal(PROMPT, 50).startswith("max_tokens must be at least 1, got 0.")
    assert refusal(PROMPT, 99, max_tokens=-1).startswith("max_tokens must be at least 1, got -1.")
