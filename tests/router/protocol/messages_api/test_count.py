"""Prompts that are only counted."""

import json

import pytest

from router.policy.call import NO_PREFIX
from router.policy.catalog import Price
from router.protocol.chunk import Identity
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.messages_api.count import COUNT, count_answer, parse_count
from tests.router.protocol.messages_api.asking import SCHEMA, TOOL, assistant, body, sent, user

ANSWER = b'{"count":3,"max_model_len":8192,"tokens":[1,2,3],"token_strs":null}'


def test_the_engine_gets_the_prompt_and_nothing_else() -> None:
    given = body(
        user("Hi"),
        system="Be brief.",
        tools=[TOOL],
        tool_choice={"type": "any"},
        stream=True,
        temperature=0.5,
        thinking={"type": "adaptive"},
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
        quux=1,
    )
    request = parse_count(given, Limits())
    function = {"name": "weather", "parameters": SCHEMA}
    messages = [{"role": "system", "content": "Be brief."}, user("Hi")]
    assert {"messages": messages, "tools": [{"type": "function", "function": function}]} == {
        name: value
        for name, value in sent(request).items()
        if name not in ("model", "request_id", "tool_choice", "max_tokens")
    }
    assert ("/tokenize", None) == (request.kind.path, request.constraint)


def test_a_prefill_is_counted_as_one() -> None:
    asked = sent(parse_count(body(user("Hi"), assistant("I")), Limits()))
    assert (True, False) == (asked["continue_final_message"], asked["add_generation_prompt"])


def test_policies_see_a_call_that_computes_nothing() -> None:
    call = parse_count(body(user("Hi" * 1_000), stream=True), Limits()).call
    assert (0, 0, 0, NO_PREFIX, False, "count") == (
        call.prompt_tokens,
        call.image_tokens,
        call.text_bytes,
        call.prefix,
        call.stream,
        call.output,
    )


def test_fields_of_the_answer_are_checked_all_the_same() -> None:
    with pytest.raises(ApiError, match=r"^thinking\.type: "):
        parse_count(body(user("Hi"), thinking={"type": "deep"}), Limits())


def test_the_answer_is_the_count() -> None:
    assert {"input_tokens": 3} == json.loads(count_answer(ANSWER))
    answer = COUNT.reshape(ANSWER, Identity("gen-1", "a/b", "local", 1), Price(request=1.0))
    assert (count_answer(ANSWER), 0, None) == (answer.body, answer.usage.total_tokens, answer.finish_reason)


@pytest.mark.parametrize("nonsense", [b"", b"{}", b'{"count":"many"}', b'{"error":{"message":"no"}}'])
def test_an_answer_without_count_is_none(nonsense: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        count_answer(nonsense)
