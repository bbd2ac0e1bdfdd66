"""Anthropic's messages to a chat's."""

import json
from typing import Any

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from tests.router.protocol.messages_api.asking import (
    LARGE_PNG,
    PNG,
    TOOL,
    ask,
    assistant,
    document,
    heard,
    image,
    linked,
    result,
    sent,
    text,
    use,
    user,
)

PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}


def test_a_plain_question_stays_what_it_is() -> None:
    assert [user("Hello")] == heard(user("Hello"))


def test_the_system_prompt_becomes_the_first_message() -> None:
    assert [{"role": "system", "content": "Be brief."}, user("Hi")] == heard(user("Hi"), system="Be brief.")
    blocks = [text("Be brief.", cache_control={"type": "ephemeral"}), text("Be kind.", citations=None)]
    assert [text("Be brief."), text("Be kind.")] == heard(user("Hi"), system=blocks)[0]["content"]


@pytest.mark.parametrize("system", [None, []])
def test_no_system_prompt_is_no_message(system: Any) -> None:
    assert [user("Hi")] == heard(user("Hi"), system=system)


def test_a_system_message_within_the_conversation_is_kept() -> None:
    given = [user("Hi"), {"role": "system", "content": [text("Be kind.")]}]
    assert {"role": "system", "content": [text("Be kind.")]} in heard(*given)


def test_turns_of_one_role_are_one_turn() -> None:
    assert [user("Hello\n\nthere")] == heard(user("Hello"), user("there"))


def test_a_trailing_assistant_message_is_gone_on_with() -> None:
    body = sent(ask(user("Sun in Greek?"), assistant("The answer is (")))
    assert (True, False) == (body["continue_final_message"], body["add_generation_prompt"])
    assert assistant("The answer is (") == body["messages"][-1]


def test_pictures_come_as_data_urls_in_their_places() -> None:
    parts = heard(user(text("a"), image(), text("b"), linked(f"data:image/png;base64,{PNG}")))[0]["content"]
    assert [text("a"), PICTURE, text("b"), PICTURE] == parts


def test_a_large_picture_comes_whole() -> None:
    [message] = heard(user(image(LARGE_PNG)))
    assert f"data:image/png;base64,{LARGE_PNG}" == message["content"][0]["image_url"]["url"]


def test_pictures_do_not_count_as_text() -> None:
    assert ask(user(image(LARGE_PNG)), limits=Limits(text_bytes=1_000)).call.image_tokens == 2


def test_pictures_that_are_named_by_urls_are_asked_for_by_the_callers_field() -> None:
    with pytest.raises(Unfetched) as missing:
        ask(user(text("a"), linked("https://example.org/a.png")))
    assert {"https://example.org/a.png": "messages[0].content[1].source.url"} == missing.value.fields


def test_calls_and_results_become_those_of_a_chat() -> None:
    said = heard(
        user("Weather?"),
        assistant(text("Let me see."), use(city="Ulm")),
        user(result("Rain"), text("Well?")),
        tools=[TOOL],
    )
    call = said[1]["tool_calls"][0]
    assert ("function", "weather", {"city": "Ulm"}) == (
        call["type"],
        call["function"]["name"],
        json.loads(call["function"]["arguments"]),
    )
    assert [text("Let me see.")] == said[1]["content"]
    assert {"role": "tool", "tool_call_id": call["id"], "content": "Rain"} == said[2]
    assert user(text("Well?")) == said[3]


@pytest.mark.parametrize(
    ("given", "content"),
    [
        pytest.param({"content": None}, "", id="nothing"),
        pytest.param({"content": []}, [text("")], id="no block"),
        pytest.param({"content": [text("a"), text("b")]}, [text("a"), text("b")], id="blocks"),
        pytest.param({"content": "no", "is_error": True}, [text("Error:"), text("no")], id="error"),
        pytest.param({"content": None, "is_error": True}, [text("Error:")], id="error without a word"),
        pytest.param({"content": "yes", "is_error": False}, "yes", id="no error"),
    ],
)
def test_results_of_every_form_are_heard(given: dict[str, Any], content: Any) -> None:
    said = heard(user("?"), assistant(use()), user(result(**given)))
    assert (content, 3) == (said[2]["content"], len(said))


def test_pictures_in_results_follow_in_a_user_message_behind_all_results() -> None:
    said = heard(
        user("?"),
        assistant(use("toolu_01"), use("toolu_02")),
        user(result([text("seen"), image()], "toolu_01"), result([image()], "toolu_02", is_error=True), text("So?")),
    )
    assert ["user", "assistant", "tool", "tool", "user"] == [message["role"] for message in said]
    assert [text("seen")] == said[2]["content"]
    assert [text("Error:"), text("(see the next message)")] == said[3]["content"]
    assert [PICTURE, PICTURE, text("So?")] == said[4]["content"]


def test_thinking_is_dropped() -> None:
    thoughts = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "x"}]
    assert [text("Yes.")] == heard(user("?"), assistant(*thoughts, text("Yes.")), user("Sure?"))[1]["content"]
    assert [user("?\n\nSure?")] == heard(user("?"), assistant(*thoughts), user("Sure?"))


def test_a_document_of_text_is_a_text_under_its_title() -> None:
    plain = {"type": "text", "media_type": "text/plain", "data": 'All "cats" sleep. ' * 100}
    parts = heard(user(document(plain, title="Cats", context="A study."), text("?")))[0]["content"]
    assert [text("Cats"), text("A study."), text(plain["data"]), text("?")] == parts
    short = {"type": "text", "media_type": "text/plain", "data": "x" * 2_000}
    assert [text("x" * 2_000)] == heard(user(document(short)))[0]["content"]


def test_a_document_of_blocks_is_its_blocks() -> None:
    blocks = {"type": "content", "content": [text("a"), image()]}
    assert [text("a"), PICTURE] == heard(user(document(blocks)))[0]["content"]
    assert [text("a")] == heard(user(document({"type": "content", "content": "a"})))[0]["content"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (None, "messages[0].content"),
        (7, "messages[0].content"),
        ([], "messages[0].content"),
        ([7], "messages[0].content"),
        ([{"text": "a"}], "messages[0].content[0].type"),
        ([{"type": "text"}], "messages[0].content[0].text"),
        ([{"type": "text", "text": 7}], "messages[0].content[0].text"),
        ([{"type": "search_result"}], "messages[0].content[0].type"),
        ([{"type": "container_upload"}], "messages[0].content[0].type"),
        ([{"type": "image"}], "messages[0].content[0].source"),
        ([{"type": "image", "source": {"type": "file", "file_id": "f"}}], "messages[0].content[0].source.type"),
        ([{"type": "image", "source": {"type": "fax"}}], "messages[0].content[0].source.type"),
        ([{"type": "image", "source": {"type": "url"}}], "messages[0].content[0].source.url"),
        ([text("a"), image("AAAA", "image/tiff")], "messages[0].content[1].source.media_type"),
        ([text("a"), image("AAAA")], "messages[0].content[1].source.data"),
        ([text("a"), image("A")], "messages[0].content[1].source.data"),
        ([linked("ftp://example.org/a")], "messages[0].content[0].source.url"),
        ([document({"type": "file", "file_id": "f"})], "messages[0].content[0].source.type"),
        ([document({"type": "fax"})], "messages[0].content[0].source.type"),
        ([document({"type": "base64", "media_type": "a/b", "data": "A"})], "messages[0].content[0].source.media_type"),
        ([document({"type": "text", "media_type": "text/plain"})], "messages[0].content[0].source.data"),
        ([document({"type": "content"})], "messages[0].content[0].source.content"),
        (
            [document({"type": "content", "content": [{"type": "audio"}]})],
            "messages[0].content[0].source.content[0].type",
        ),
        ([document({"type": "content", "content": "a"}, title=7)], "messages[0].content[0].title"),
        ([result()], "messages[0].content[0].tool_use_id"),
        ([{"type": "tool_result"}], "messages[0].content[0].tool_use_id"),
        ([result([{"type": "tool_reference"}])], "messages[0].content[0].content[0].type"),
        ([result(7)], "messages[0].content[0].content"),
        ([result("a", is_error="no")], "messages[0].content[0].is_error"),
    ],
)
def test_what_a_user_may_not_say_is_refused_by_the_callers_field(content: Any, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        ask({"role": "user", "content": content})
    assert (400, field) == (refused.value.status, refused.value.field)
    assert refused.value.message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("block", "field"),
    [
        ({"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}}, ".type"),
        (image(), ".type"),
        ({"type": "tool_use"}, ".id"),
        ({"type": "tool_use", "id": "a"}, ".name"),
        ({"type": "tool_use", "id": "a", "name": "f", "input": []}, ".input"),
        (use(name="no such name"), ".name"),
        (use(), ""),  # nobody answers it
    ],
)
def test_what_an_assistant_cannot_have_said_is_refused_by_the_callers_field(block: Any, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        ask(user("?"), assistant(text("a"), block), user("Well?"), system="Be brief.")
    assert f"messages[1].content[1]{field}" == refused.value.field


def test_a_call_without_input_is_one_of_nothing() -> None:
    call = {"type": "tool_use", "id": "toolu_01", "name": "weather"}
    said = heard(user("?"), assistant(call), user(result("a")))
    assert "{}" == said[1]["tool_calls"][0]["function"]["arguments"]


def test_inputs_with_long_data_are_written_whole() -> None:
    given: dict[str, Any] = {
        "data": "d" * 2_000,
        "more": [{"url": "u" * 2_000}, {"data": "cut:0"}],
        "text": 'a "data": "cut:0"',
    }
    said = heard(user("?"), assistant(use(**given)), user(result("a")))
    assert given == json.loads(said[1]["tool_calls"][0]["function"]["arguments"])


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        (None, "messages"),
        ("Hello", "messages"),
        ([], "messages"),
        ([{"content": "a"}], "messages[0].role"),
        ([{"role": "tool", "content": "a"}], "messages[0].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "system", "content": [image()]}], "messages[0].content[0].type"),
        ([{"role": "system", "content": []}], "messages[0].content"),
        ([{"role": "assistant", "content": []}], "messages"),
    ],
)
def test_conversations_without_form_are_refused(messages: Any, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        ask(messages=messages)
    assert field == refused.value.field


def test_a_system_prompt_is_text() -> None:
    with pytest.raises(ApiError, match=r"^system\[0\]\.type: system blocks of type 'image' are not supported"):
        ask(system=[image()])
    with pytest.raises(ApiError, match=r"^system: must be an array of objects"):
        ask(system=7)


PDF = "JVBERi0xLjQK" * 100


@pytest.mark.parametrize(
    ("source", "url", "field"),
    [
        ({"type": "base64", "media_type": "application/pdf", "data": PDF}, "", "data"),
        ({"type": "url", "url": "https://example.org/a.pdf"}, "https://example.org/a.pdf", "url"),
    ],
)
def test_a_pdf_is_asked_for_by_the_callers_field(source: dict[str, str], url: str, field: str) -> None:
    with pytest.raises(Unfetched) as missing:
        ask(user(document(source, title="A study", context="Old."), text("?")))
    [file] = missing.value.files
    assert ("A study", url, f"messages[0].content[0].source.{field}") == (file.name, file.url, file.field)


def test_a_pdf_without_title_is_called_a_document() -> None:
    with pytest.raises(Unfetched) as missing:
        ask(user(document({"type": "base64", "media_type": "application/pdf", "data": PDF})))
    assert "document.pdf" == missing.value.files[0].name
