"""What Anthropic and its like are asked."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.call import Call
from router.policy.catalog import Pool
from router.protocol.dialects.anthropic_body import write_anthropic
from router.protocol.dialects.source import Source
from router.protocol.dialects.words import Words
from tests.router.protocol import pictures
from tests.router.protocol.conversations import assistant, image, system, text, tool, user
from tests.router.protocol.dialects.asked import ANTHROPIC, TOOL, chat

WORDS = Words()
THINKER = replace(ANTHROPIC, parameters=ANTHROPIC.parameters | {"reasoning"})
PNG = pictures.png(8, 8)


def said(asked: tuple[Source, Call], pool: Pool = ANTHROPIC) -> Any:
    return json.loads(write_anthropic(*asked, pool, WORDS).body)


def block(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def messages(*given: dict[str, Any]) -> Any:
    return said(chat(*given))["messages"]


def test_a_plain_chat_needs_a_bound_and_has_blocks() -> None:
    expected = {"model": "theirs", "messages": [user([block("u")])], "max_tokens": 4096}
    assert expected == said(chat())
    assert "/messages" == write_anthropic(*chat(), ANTHROPIC, WORDS).path
    assert 7 == said(chat(max_tokens=7))["max_tokens"]
    assert 99 == said(chat(), replace(ANTHROPIC, max_completion_tokens=99))["max_tokens"]


def test_all_system_messages_become_the_one() -> None:
    body = said(chat(system("A"), user(), system([text("B"), text("")], "developer"), user("v")))
    assert [block("A"), block("B")] == body["system"]
    assert [user([block("u"), block("v")])] == body["messages"]


def test_a_conversation_that_is_only_a_system_message_is_the_users() -> None:
    body = said(chat(system("A")))
    assert ([user([block("A")])], False) == (body["messages"], "system" in body)


def test_a_conversation_that_begins_with_the_assistant_gets_a_user_before_it() -> None:
    assert [user([block("Go on.")]), assistant([block("Once")])] == messages(assistant("Once"))


def test_images_become_blocks() -> None:
    encoded = base64.b64encode(PNG).decode()
    content = [
        {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral"}},
        image(PNG),
    ]
    source, call = chat(user(content))
    (message,) = json.loads(write_anthropic(source, call, ANTHROPIC, WORDS).body)["messages"]
    assert [
        {**block("Look"), "cache_control": {"type": "ephemeral"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": encoded}},
    ] == message["content"]


def converse(raw: bytes) -> Any:
    """The content of the first message, of messages that are given as raw JSON."""
    source, call = chat()
    given = Source(source.kind, {**source.fields, "messages": raw}, source.body)
    return json.loads(write_anthropic(given, call, ANTHROPIC, WORDS).body)["messages"][0]["content"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
            [{"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}],
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}},
            [{"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}}],
        ),
        ({"type": "input_audio", "input_audio": {}}, []),
    ],
)
def test_parts_that_were_not_cut_out_or_have_no_block(part: dict[str, Any], expected: list[Any]) -> None:
    assert [block("x"), *expected] == converse(json.dumps([user([text("x"), part])]).encode())


def test_text_that_looks_like_an_image_stays_text() -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert [user([block(url)])] == messages(user(url))


def test_calls_and_results_become_blocks_with_ids_that_anthropic_takes() -> None:
    given = messages(
        user(), assistant("I will.", "call_1", "functions.f:0"), tool("call_1"), tool("functions.f:0", ""), user("Go")
    )
    hashed = given[1]["content"][2]["id"]
    assert hashed.startswith("toolu_")
    assert [
        user([block("u")]),
        assistant(
            [
                block("I will."),
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {}},
                {"type": "tool_use", "id": hashed, "name": "f", "input": {}},
            ]
        ),
        user(
            [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [block("r")]},
                {"type": "tool_result", "tool_use_id": hashed, "content": []},
                block("Go"),
            ]
        ),
    ] == given


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [('{"a": [1]}', {"a": [1]}), ("", {}), ("[1]", {"arguments": "[1]"}), ("{", {"arguments": "{"})],
)
def test_arguments_become_an_object(arguments: str, expected: dict[str, Any]) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    given = messages(user(), assistant(None, tool_calls=[call]), tool("c"))
    assert expected == given[1]["content"][0]["input"]


def test_only_reasoning_that_anthropic_signed_goes_back() -> None:
    details = [
        {"type": "reasoning.text", "text": "Hm", "signature": "sig"},
        {"type": "reasoning.text", "text": "unsigned"},
        {"type": "reasoning.encrypted", "data": "xyz"},
        {"type": "reasoning.summary", "summary": "s"},
    ]
    (_, answer) = messages(user(), assistant("a", reasoning_details=details))
    assert [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        block("a"),
    ] == answer["content"]
    assert [block("a")] == messages(user(), assistant("a", reasoning_details="nonsense"))[1]["content"]


def test_a_message_that_says_nothing_is_left_out() -> None:
    assert [user([block("u"), block("v")])] == messages(user(), assistant(""), user("v"))


def test_sampling_is_put_into_anthropics_ranges() -> None:
    body = said(chat(temperature=1.7, top_p=0.5, top_k=-1, seed=1, logprobs=True, presence_penalty=1, stop="x"))
    assert {"model", "messages", "max_tokens", "temperature", "top_p", "stop_sequences"} == body.keys()
    assert (1.0, 0.5, ["x"]) == (body["temperature"], body["top_p"], body["stop_sequences"])
    body = said(chat(top_k=4, stop=["x", "y"], stream=True))
    assert (4, ["x", "y"], True) == (body["top_k"], body["stop_sequences"], body["stream"])


def test_what_a_pool_does_not_obey_stays() -> None:
    asked = chat(
        temperature=1, stop="x", tools=[TOOL], tool_choice="auto", user="u", response_format={"type": "json_object"}
    )
    body = said(asked, replace(ANTHROPIC, parameters=frozenset({"top_k"})))
    assert {"model", "messages", "max_tokens"} == body.keys()
    body = said(asked, replace(ANTHROPIC, parameters=frozenset({"tools"})))
    assert {"model", "messages", "max_tokens", "tools"} == body.keys()


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, False, {"type": "tool", "name": "f"}),
        (None, False, {"type": "auto"}),
    ],
)
def test_tools_have_input_schemas_and_choices_other_names(
    choice: Any, parallel: bool | None, expected: dict[str, Any] | None
) -> None:
    described = {"type": "function", "function": {"name": "g", "description": "d"}}
    body = said(chat(tools=[TOOL, described], tool_choice=choice, parallel_tool_calls=parallel))
    schema = {"type": "object", "properties": {}}
    assert [
        {"name": "f", "input_schema": {"type": "object"}},
        {"name": "g", "input_schema": schema, "description": "d"},
    ] == body["tools"]
    if expected is not None and parallel is False and expected["type"] != "none":
        expected = {**expected, "disable_parallel_tool_use": True}
    assert expected == body.get("tool_choice")


def test_no_tools_are_no_field() -> None:
    assert {"model", "messages", "max_tokens"} == said(chat(tools=[])).keys()


def test_a_schema_constrains_the_answer_and_an_object_is_asked_for_in_words() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    assert {"format": {"type": "json_schema", "schema": schema}} == said(chat(response_format=form))["output_config"]
    body = said(chat(system("A"), user(), response_format={"type": "json_object"}))
    assert ["A", "Answer with one JSON object and nothing else: no other words, no code fence."] == [
        each["text"] for each in body["system"]
    ]
    assert "system" not in said(chat(response_format={"type": "text"}))


@pytest.mark.parametrize(
    ("fields", "budget"),
    [
        ({"reasoning": {"max_tokens": 2000}}, 2000),
        ({"reasoning": {"max_tokens": 10}}, 1024),
        ({"reasoning": {"effort": "high"}}, 8000),
        ({"reasoning_effort": "low"}, 2000),
        ({"reasoning": {"enabled": True}}, 5000),
        ({"reasoning": {"enabled": False}}, None),
        ({"reasoning": {"effort": "none"}}, None),
        ({"reasoning": {"effort": ["high"]}}, None),
        ({"reasoning": {"exclude": True}}, None),
        ({"reasoning": {"max_tokens": 20_000}}, None),
        ({}, None),
    ],
)
def test_reasoning_is_a_budget(fields: dict[str, Any], budget: int | None) -> None:
    body = said(chat(max_tokens=10_000, temperature=0.5, **fields), THINKER)
    thinking = None if budget is None else {"type": "enabled", "budget_tokens": budget}
    assert (thinking, budget is None) == (body.get("thinking"), "temperature" in body)


def test_a_model_that_thinks_cannot_be_made_to_call() -> None:
    asked = chat(max_tokens=10_000, tools=[TOOL], tool_choice="required", reasoning={"effort": "low"})
    assert "tool_choice" not in said(asked, THINKER)


def test_users_are_hashed_and_options_added() -> None:
    body = said(chat(user="me", provider={"options": {"anthropic": {"speed": "fast", "max_tokens": 10**6}}}))
    assert body["metadata"]["user_id"].startswith("user_")
    assert ("fast", 4096) == (body["speed"], body["max_tokens"])


@given(words=st.text(min_size=1))
def test_no_text_is_changed_on_the_way(words: str) -> None:
    body = said(chat(system(words), user([text(words)]), assistant(words), user(words)))
    expected = [user([block(words)]), assistant([block(words)]), user([block(words)])]
    assert ([block(words)], expected) == (body["system"], body["messages"])
