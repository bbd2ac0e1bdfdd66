"""Conversations in the order that Mistral's templates accept."""

import json
from typing import Any

import pytest

from router.protocol.body import split
from router.protocol.contents import write
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.messages import Message
from router.protocol.mistral import is_prefill, normalise
from router.protocol.read_messages import read_messages
from router.protocol.tool_ids import ToolIds
from tests.router.protocol.conversations import assistant, image, system, text, tool, user


def read(*messages: dict[str, Any]) -> list[Message]:
    body = split(json.dumps({"messages": messages}).encode(), Limits())
    return read_messages(body.fields["messages"], body, Limits()).items


def normal(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Normalised and written; tool ids mapped back, and what is null left out."""
    ids = ToolIds()
    written: list[dict[str, Any]] = json.loads(write(normalise(read(*messages), ids)))
    for message in written:
        for call in message.get("tool_calls", []):
            call["id"] = ids.restore(call["id"])
        if "tool_call_id" in message:
            message["tool_call_id"] = ids.restore(message["tool_call_id"])
    return written


def said(*calls: str) -> dict[str, Any]:
    return {key: value for key, value in assistant(None, *calls).items() if value is not None}


def test_an_ordinary_conversation_is_left_alone() -> None:
    for messages in ([user()], [system(), user(), assistant(), user()], [user(), assistant()], [system()]):
        items = read(*messages)
        assert items is normalise(items, ToolIds())


def test_developer_becomes_system() -> None:
    assert [system("d"), user()] == normal(system("d", "developer"), user())


@pytest.mark.parametrize(
    ("messages", "placed"),
    [
        ([user("1"), assistant("2"), system("s"), user("3")], ["1", "2", "3", "s"]),
        (
            [user("1"), assistant("2"), system("s"), user("3"), assistant("4"), user("5")],
            ["1", "2", "3", "s", "4", "5"],
        ),
        ([user("1"), assistant("2"), system("s"), assistant("3")], ["1", "s", "2\n\n3"]),
        ([user("1"), assistant("2"), system("s")], ["1", "s", "2"]),
        ([assistant("1"), system("s"), assistant("2"), user("3")], ["s", "1\n\n2", "3"]),
        ([user("1"), system("s"), assistant("2"), user("3")], ["1", "s", "2", "3"]),
        ([user("1"), assistant("2"), system("s"), user("3"), system("t"), user("4")], ["1", "2", "3\n\n4", "s\n\nt"]),
    ],
)
def test_system_messages_move_to_the_nearest_place_where_they_may_stand(messages: Any, placed: list[str]) -> None:
    assert placed == [message["content"] for message in normal(*messages)]


def test_a_system_message_between_a_call_and_its_result_moves_before_the_call() -> None:
    written = normal(user("1"), assistant(None, "c1"), system("s"), tool("c1"), user("2"))
    assert [user("1"), system("s"), said("c1"), tool("c1"), user("2")] == written


def test_neighbours_of_one_role_are_merged() -> None:
    assert [user('a"\n\nb'), assistant("c\n\nd"), user()] == normal(
        user('a"'), user("b"), assistant("c"), assistant("d"), user()
    )
    picture = image()
    body = split(json.dumps({"messages": [user("a"), user([text("b"), picture])]}).encode(), Limits())
    items = normalise(read_messages(body.fields["messages"], body, Limits()).items, ToolIds())
    (merged,) = json.loads(b"".join(body.restore(write(items))))
    assert "uuid" in merged["content"][2]
    del merged["content"][2]["uuid"]
    assert user([text("a"), text("b"), picture]) == merged


def test_texts_that_look_like_images_stay_whole_when_merged() -> None:
    lookalike = "data:image/png;base64,AAAA"
    body = split(json.dumps({"messages": [user("a"), user(lookalike)]}).encode(), Limits())
    items = normalise(read_messages(body.fields["messages"], body, Limits()).items, ToolIds())
    assert [user([text("a"), text(lookalike)])] == json.loads(b"".join(body.restore(write(items))))


def test_calls_of_neighbouring_assistant_messages_are_put_together() -> None:
    written = normal(user(), assistant("x", "c1"), assistant(None, "c2"), tool("c1"), tool("c2"))
    assert [user(), {**said("c1", "c2"), "content": "x"}, tool("c1"), tool("c2")] == written


def test_silent_assistant_messages_and_thoughts_go() -> None:
    assert [user("a\n\nb")] == normal(user("a"), assistant(""), user("b"))
    assert [user(), assistant("x"), user()] == normal(user(), assistant("x", reasoning="hm"), user())
    with pytest.raises(ApiError, match="messages: holds nothing but empty assistant messages"):
        normal(assistant(""))


def test_a_conversation_that_begins_with_the_assistant_gets_an_empty_user_first() -> None:
    assert [user(""), assistant("Hello!"), user()] == normal(assistant("Hello!"), user())


def test_a_trailing_assistant_message_is_a_prefill() -> None:
    assert is_prefill(read(user(), assistant("I")))
    assert not is_prefill(read(user()))


def test_ids_of_calls_are_mapped_the_same_way_on_both_sides() -> None:
    ids = ToolIds()
    called, answered = normalise(
        read(user(), assistant(None, "call_0123456789"), tool("call_0123456789", name="f")), ids
    )[1:]
    assert called.tool_calls[0].id == answered.tool_call_id == ids.to_engine("call_0123456789")
    assert "f" == answered.name
    assert "f" == normal(user(), assistant(None, "c1"), tool("c1", name="f"))[2]["name"]


@pytest.mark.parametrize(
    ("messages", "field", "problem"),
    [
        ([user(), tool("c1")], "messages[1].tool_call_id", "no assistant message right before it has a tool call 'c1'"),
        ([user(), assistant(None, "c1"), tool("c2")], "messages[2].tool_call_id", "tool call 'c2'"),
        ([user(), assistant(None, "c1"), tool("c1"), tool("c1")], "messages[3].tool_call_id", "tool call 'c1'"),
        ([user(), assistant(None, "c1")], "messages[1].tool_calls[0]", "no tool message answers the call 'c1'"),
        ([user(), assistant(None, "c1"), user(), tool("c1")], "messages[1].tool_calls[0]", "answers the call 'c1'"),
        ([user(), assistant(None, "c1", "c2"), tool("c2")], "messages[1].tool_calls[0]", "answers the call 'c1'"),
        ([user(), assistant(None, "c1", "c1"), tool("c1")], "messages[1].tool_calls[1].id", "'c1' is given twice"),
        ([user(), assistant(None, "c1"), tool("c1", name="a b")], "messages[2].name", "must be 1 to 64 letters"),
    ],
)
def test_calls_and_results_that_do_not_pair_are_refused(messages: Any, field: str, problem: str) -> None:
    with pytest.raises(ApiError) as caught:
        normal(*messages)
    assert (400, field) == (caught.value.status, caught.value.field)
    assert problem in caught.value.message


def test_a_called_function_needs_a_name_that_can_be_written() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "no spaces", "arguments": "{}"}}
    with pytest.raises(ApiError, match=r"messages\[1\].tool_calls\[0\].function.name: must be 1 to 64 letters"):
        normal(user(), assistant(None, tool_calls=[call]), tool("c1"))
