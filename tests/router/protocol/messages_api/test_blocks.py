"""Blocks of a message, one after the other, whatever order the pieces come in."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.router.protocol.messages_api.answering import blocks_of, call, chunk, ending, events_of, streamed


def tool(call_id: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def blocks(*chunks: bytes) -> list[dict[str, Any]]:
    return blocks_of(streamed(*chunks, chunk("tool_calls"), ending("tool_calls")))


def test_a_call_closes_as_soon_as_it_is_whole_and_another_comes() -> None:
    stream = streamed(call(0, '{"a":1}', "f", "1"), call(1, '{"b":', "g", "2"))
    assert ["content_block_stop", "content_block_start", "content_block_delta"] == (
        [name for name, _ in events_of(stream)][-3:]
    )


def test_a_call_that_is_not_whole_makes_others_wait() -> None:
    stream = streamed(call(0, '{"a":', "f", "1"), call(1, '{"b":2}', "g", "2"), chunk(content="x"))
    assert "content_block_stop" not in dict(events_of(stream))
    assert [tool("1", "f", {"a": 1}), tool("2", "g", {"b": 2}), text("xy")] == blocks(
        call(0, '{"a":', "f", "1"),
        call(1, '{"b":2}', "g", "2"),
        chunk(content="x"),
        chunk(content="y"),
        call(0, "1}"),
    )


def test_what_comes_after_a_call_was_closed_is_dropped() -> None:
    assert [tool("1", "f", {}), tool("2", "g", {})] == blocks(
        call(0, "{}", "f", "1"), call(1, "{}", "g", "2"), call(0, " ")
    )


def test_a_text_after_a_call_is_a_block_of_its_own() -> None:
    assert [text("a"), tool("1", "f", {}), text("b")] == blocks(
        chunk(content="a"), call(0, "{}", "f", "1"), chunk(content="b")
    )


def test_a_call_without_id_gets_one() -> None:
    assert [tool("toolu_gen-1_0", "f", {}), tool("toolu_gen-1_1", "", {})] == blocks(call(0, "{}", "f"), call(1))


def test_what_a_provider_leaves_out_or_nulls_is_borne() -> None:
    odd = [{"index": None, "id": None, "function": None}, {"function": {"name": "f", "arguments": None}}]
    assert [tool("toolu_gen-1_0", "", {})] == blocks(chunk(content=None, tool_calls=odd[:1]))
    assert [tool("toolu_gen-1_0", "f", {})] == blocks(chunk(content=[], tool_calls=odd[1:]), call(0, "{}"))


def test_arguments_that_never_become_whole_are_not_looked_at_for_ever() -> None:
    stream = streamed(call(0, "[", "f", "1"), *[call(1, " ", "g", "2")] * 40)
    assert "content_block_stop" not in dict(events_of(stream))


_VALUES = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3)


@given(st.data(), st.lists(_VALUES, min_size=1, max_size=4))
def test_however_calls_are_mixed_each_comes_whole(data: st.DataObject, inputs: list[dict[str, Any]]) -> None:
    pieces: dict[int, list[bytes]] = {}
    for index, value in enumerate(inputs):
        arguments = json.dumps(value)
        at = data.draw(st.integers(0, len(arguments)))
        pieces[index] = [
            call(index, "", f"f{index}", f"{index}"),
            call(index, arguments[:at]),
            call(index, arguments[at:]),
        ]
    order = data.draw(st.permutations([index for index in pieces for _ in range(3)]))
    mixed = [pieces[index].pop(0) for index in order]
    first = list(dict.fromkeys(order))
    assert [tool(f"{index}", f"f{index}", inputs[index]) for index in first] == blocks(*mixed)
