"""What OpenAI and its like are asked."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Pool
from router.protocol.dialects.openai_body import write_openai
from router.protocol.dialects.source import Source
from router.protocol.dialects.words import Conversation, Words
from tests.router.protocol import pictures
from tests.router.protocol.conversations import assistant, image, system, text, tool, user
from tests.router.protocol.dialects.asked import OPENAI, TOOL, Call, chat, chat_of, other

WORDS = Words()


def said(asked: tuple[Source, Call], pool: Pool = OPENAI, words: Words = WORDS) -> Any:
    return json.loads(write_openai(*asked, pool, words).body)


def test_a_plain_chat_goes_as_it_came_under_the_providers_name_of_the_model() -> None:
    assert {"model": "theirs", "messages": [user()]} == said(chat())
    assert "/chat/completions" == write_openai(*chat(), OPENAI, WORDS).path


def test_what_only_engines_of_ours_know_is_left_out() -> None:
    asked = chat(
        top_k=5, min_p=0.1, repetition_penalty=1.1, min_tokens=2, bad_words=["x"], unheard_of=1, models=["b"],
        metadata={"a": "b"}, session_id="s", store=True, structured_outputs=True, temperature=0.5, stop=["x"], seed=1,
        plugins=[],
    )  # fmt: skip
    expected = {"model": "theirs", "messages": [user()], "temperature": 0.5, "stop": ["x"], "seed": 1}
    assert expected == said(asked)


def test_what_a_pool_obeys_beyond_the_standard_goes_and_what_it_does_not_stays() -> None:
    asked = chat(top_k=5, reasoning={"effort": "low"}, temperature=1, response_format={"type": "json_object"})
    pool = replace(OPENAI, parameters=frozenset({"top_k", "reasoning"}))
    assert {"model": "theirs", "messages": [user()], "top_k": 5, "reasoning": {"effort": "low"}} == said(asked, pool)


def test_messages_keep_the_callers_order_and_ids_unless_the_provider_is_mistrals() -> None:
    call = {"id": "call_1234567890", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [user(), assistant(None, tool_calls=[call]), tool("call_1234567890"), system("Be brief.", "developer")]
    asked = chat(*messages)
    assert messages == said(asked)["messages"]
    words = Words(conversation=Conversation.MISTRAL)
    theirs = said(asked, words=words)["messages"]
    assert ["user", "system", "assistant", "tool"] == [each["role"] for each in theirs]
    assert 9 == len(theirs[2]["tool_calls"][0]["id"])


def test_images_go_without_the_name_that_only_vllm_knows() -> None:
    content = [text("Look"), image(), text('{"uuid":"' + "0" * 64 + '"}')]
    assert [user(content)] == said(chat(user(content)))["messages"]


def test_an_image_that_was_fetched_goes_instead_of_its_url() -> None:
    data_url = pictures.data_url(pictures.png(8, 8))
    content = [{"type": "image_url", "image_url": {"url": "https://inside.example/a.png", "detail": "low"}}]
    raw = json.dumps({"model": "m", "messages": [user(content)]}).encode()
    (part,) = said(chat_of(raw, {"https://inside.example/a.png": data_url}))["messages"][0]["content"]
    assert {"type": "image_url", "image_url": {"url": json.loads(data_url), "detail": "low"}} == part


def test_a_stream_asks_for_its_usage_where_that_is_known() -> None:
    asked = chat(stream=True, stream_options={"include_usage": False})
    assert {"include_usage": True} == said(asked)["stream_options"]
    body = said(asked, words=Words(asks_usage=False))
    assert (True, False) == (body["stream"], "stream_options" in body)


def test_fields_go_under_the_providers_names_or_not_at_all() -> None:
    asked = chat(max_tokens=5, seed=3, user="u")
    words = Words(renames={"max_tokens": "max_completion_tokens", "seed": "random_seed", "user": ""})
    expected = {"model": "theirs", "messages": [user()], "max_completion_tokens": 5, "random_seed": 3}
    assert expected == said(asked, words=words)
    assert 9 == said(chat(max_completion_tokens=9))["max_tokens"]


def test_users_are_told_apart_but_not_told() -> None:
    one, two = (said(chat(user="me@example.org"), words=Words(user_key=key))["user"] for key in (b"a", b"b"))
    assert one != two
    assert one.startswith("user_")
    assert "me" not in one.removeprefix("user_")
    assert "user" not in said(chat(user=""))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tools": [TOOL], "tool_choice": "auto"}, {"tools": [TOOL], "tool_choice": "auto"}),
        ({"tools": [TOOL]}, {"tools": [TOOL]}),
        ({"tools": []}, {}),
        ({"tool_choice": "none"}, {}),
        ({"response_format": {"type": "text"}}, {}),
        ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
    ],
)
def test_tools_and_formats_go_as_asked(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {"model": "theirs", "messages": [user()], **expected} == said(chat(**fields))


def test_a_choice_of_tools_goes_only_where_it_is_obeyed() -> None:
    pool = replace(OPENAI, parameters=frozenset({"tools"}))
    assert {"model", "messages", "tools"} == said(chat(tools=[TOOL], tool_choice="auto"), pool).keys()


def test_options_for_this_provider_are_added_but_replace_nothing_that_the_router_reads() -> None:
    options = {
        "openai": {"safety": "strict", "mode": "fast", "max_tokens": 10**6, "n": 50, "model": "dear", "messages": []},
        "openai/eu": {"mode": "slow", "api_base": "http://elsewhere", "stream": True, "mcp_servers": []},
        "others": {"mine": 1},
    }
    body = said(chat(provider={"options": options}))
    assert {"model": "theirs", "messages": [user()], "safety": "strict", "mode": "slow"} == body


@pytest.mark.parametrize("provider", [{"options": {"openai": 1}}, {"options": []}, {"options": None}, {}])
def test_options_of_another_shape_are_none(provider: dict[str, Any]) -> None:
    assert {"model": "theirs", "messages": [user()]} == said(chat(provider=provider))


def test_completions_and_embeddings_have_routes_of_their_own() -> None:
    completion = write_openai(*other("completions", prompt=["a", "b"], max_tokens=3), OPENAI, WORDS)
    assert "/completions" == completion.path
    assert {"model": "theirs", "prompt": ["a", "b"], "max_tokens": 3} == json.loads(completion.body)
    vectors = write_openai(*other("embeddings", input="a", dimensions=8), OPENAI, WORDS)
    assert "/embeddings" == vectors.path
    assert {"model": "theirs", "input": "a", "dimensions": 8} == json.loads(vectors.body)


def test_system_messages_stay_where_they_are() -> None:
    messages = [system("A"), user(), system("B"), user("C")]
    assert messages == said(chat(*messages))["messages"]


def test_an_answer_that_is_sent_back_loses_what_strict_providers_refuse() -> None:
    details = [{"type": "reasoning.text", "text": "Hm"}]
    nulls = dict.fromkeys(["refusal", "audio", "function_call", "tool_calls"])
    answer = {**assistant("a"), **nulls, "annotations": [], "reasoning": "Hm", "reasoning_details": details}
    asked = chat(user([image()]), answer, user("null"))
    assert [user([image()]), assistant("a"), user("null")] == said(asked)["messages"]
    pool = replace(OPENAI, parameters=frozenset({"reasoning"}))
    kept = {**assistant("a"), "reasoning": "Hm", "reasoning_details": details}
    assert kept == said(asked, pool)["messages"][1]
    call = assistant(None, "call_1")
    assert call == said(chat(user(), call, tool("call_1")))["messages"][1]


@given(words=st.text(min_size=1))
def test_no_text_is_changed_on_the_way(words: str) -> None:
    asked = chat(system(words), user([text(words)]), assistant(words), user(words))
    assert [system(words), user([text(words)]), assistant(words), user(words)] == said(asked)["messages"]
