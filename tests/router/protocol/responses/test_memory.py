"""Answers that are kept, and requests that go on from one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import Request
from router.protocol.responses.listed import listed_items
from router.protocol.responses.memory import Memory, Remembered, Unremembered, joined
from router.protocol.responses.parse import parse_responses
from router.protocol.responses.skin import ResponsesSkin
from tests.router.protocol import pictures
from tests.router.protocol.responses.said import DONE, IDENTITY, MODEL, check_response, chunk, events_of
from tests.router.protocol.responses.test_parse import CALL, FUNCTION, POOL, RESULT

ID = "resp_1700000000-abc"
PNG = json.loads(pictures.data_url(pictures.png(28, 28)))
HELLO = {"type": "message", "role": "user", "content": "Hello?"}
ANSWER = {
    "id": IDENTITY.generation_id,
    "model": MODEL,
    "created": IDENTITY.created,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi!"}}],
}


class Keeper:
    """Takes what it is given, or not."""

    def __init__(self, *, has_room: bool = True) -> None:
        self.kept: list[Remembered] = []
        self._has_room = has_room

    def keep(self, answer: Remembered) -> bool:
        self.kept.append(answer)
        return self._has_room

    def memory(self, **values: Any) -> Memory:
        return Memory(self.keep, **{"most_bytes": 100_000, **values})


def parsed(memory: Memory | None, limits: Limits | None = None, /, **fields: Any) -> Request:
    body = json.dumps({"model": MODEL, "input": "Hello?", **fields}).encode()
    return parse_responses(body, limits or Limits(), memory=memory)


def whole(request: Request, answer: dict[str, Any] | None = None) -> dict[str, Any]:
    assert isinstance(request.skin, ResponsesSkin)
    response: dict[str, Any] = json.loads(request.skin.whole(json.dumps(answer or ANSWER).encode()))
    check_response(response)
    return response


def engine(request: Request) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = json.loads(request.upstream_body(POOL, generation_id="gen-1"))["messages"]
    return messages


def refused(memory: Memory | None, limits: Limits | None = None, /, **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        parsed(memory, limits, **fields)
    return error.value


def test_a_whole_answer_is_kept_once_with_what_it_answered() -> None:
    keeper = Keeper()
    response = whole(parsed(keeper.memory(), store=True))
    (kept,) = keeper.kept
    assert (ID, MODEL, "completed", None, 1_700_000_000) == (
        kept.id,
        kept.model,
        kept.status,
        kept.previous,
        kept.created,
    )
    assert response["store"] is True
    assert [HELLO] == json.loads(kept.input)
    assert response == json.loads(kept.response)
    assert [HELLO, *response["output"]] == json.loads(kept.conversation())
    assert kept.size == len(kept.input) + len(kept.response)


def test_a_stream_is_kept_when_it_has_ended() -> None:
    keeper = Keeper()
    skin = parsed(keeper.memory(), store=True).skin
    assert skin is not None
    first = skin.feed(chunk({"content": "Hi!"}))
    assert b'"store":true' in first
    assert not keeper.kept
    events = events_of(first + skin.feed(chunk(finish="length") + DONE))
    (kept,) = keeper.kept
    assert "incomplete" == kept.status
    assert events[-1]["response"] == json.loads(kept.response)
    assert events[-1]["response"]["store"] is True


def test_what_failed_or_broke_off_is_not_kept() -> None:
    keeper = Keeper()
    for ending in (chunk(error={"code": 502, "message": "m"}, finish="error") + DONE, b"data: {\n\n" + DONE):
        skin = parsed(keeper.memory(), store=True).skin
        assert skin is not None
        events = events_of(skin.feed(chunk({"content": "Hi!"}) + ending))
        assert ("response.failed", False) == (events[-1]["type"], events[-1]["response"]["store"])
    skin = parsed(keeper.memory(), store=True).skin
    assert skin is not None
    skin.feed(chunk({"content": "Hi!"}))  # and nothing more
    assert not keeper.kept


def test_who_does_not_ask_is_remembered_where_that_is_the_rule() -> None:
    keeper = Keeper()
    for by_default, fields, is_kept in (
        (False, {}, False),
        (False, {"store": None}, False),
        (True, {}, True),
        (True, {"store": False}, False),
    ):
        keeper.kept.clear()
        assert is_kept is whole(parsed(keeper.memory(by_default=by_default), **fields))["store"]
        assert is_kept is bool(keeper.kept)


def test_what_is_too_large_says_that_it_is_not_stored() -> None:
    keeper = Keeper()
    assert whole(parsed(keeper.memory(most_bytes=100), store=True))["store"] is False  # with its answer
    assert whole(parsed(keeper.memory(most_bytes=10), store=True))["store"] is False  # without
    assert not keeper.kept


def test_what_finds_no_room_says_that_it_is_not_stored() -> None:
    keeper = Keeper(has_room=False)
    assert whole(parsed(keeper.memory(), store=True))["store"] is False
    assert 1 == len(keeper.kept)


def test_a_request_goes_on_from_what_was_remembered() -> None:
    keeper = Keeper()
    with pytest.raises(Unremembered) as missing:
        parsed(keeper.memory(), previous_response_id=ID)
    assert ID == missing.value.response
    whole(parsed(keeper.memory(), store=True, instructions="Be brief."))
    earlier = keeper.memory(earlier=keeper.kept[0].conversation())
    request = parsed(earlier, store=True, previous_response_id=ID, input="And?", instructions="Be long.")
    assert [("system", "Be long."), ("user", "Hello?"), ("assistant", "Hi!"), ("user", "And?")] == [
        (message["role"], message["content"]) for message in engine(request)
    ]
    response = whole(request)
    assert ID == response["previous_response_id"]
    second = keeper.kept[1]
    assert ID == second.previous
    assert ["Hello?", "And?"] == [item["content"] for item in json.loads(second.input) if item["role"] == "user"]
    assert 4 == len(json.loads(second.conversation()))


def test_a_call_is_answered_in_the_next_request() -> None:
    earlier = json.dumps([HELLO, CALL]).encode()
    keeper = Keeper()
    request = parsed(
        keeper.memory(earlier=earlier), previous_response_id=ID, input=[RESULT], tools=[FUNCTION], store=True
    )
    assert ["user", "assistant", "tool"] == [message["role"] for message in engine(request)]
    whole(request)
    assert [HELLO, CALL, RESULT] == json.loads(keeper.kept[0].input)


def test_pictures_are_remembered_and_sent_again() -> None:
    keeper = Keeper()
    shown = {"role": "user", "content": [{"type": "input_image", "image_url": PNG}]}
    whole(parsed(keeper.memory(), store=True, input=[shown]))
    assert [shown] == json.loads(keeper.kept[0].input)
    earlier = keeper.memory(earlier=keeper.kept[0].conversation())
    other = {"role": "user", "content": [{"type": "input_image", "image_url": PNG}]}
    request = parsed(earlier, previous_response_id=ID, input=[other])
    first, _, last = engine(request)
    assert [PNG, PNG] == [message["content"][0]["image_url"]["url"] for message in (first, last)]
    assert 2 == request.media


def test_remembered_text_that_looks_like_a_placeholder_is_text() -> None:
    trap = rb'[{"role":"user","content":"data:image\/#7"},{"role":"assistant","content":"b"}]'
    (first, _, _) = engine(parsed(Keeper().memory(earlier=trap), previous_response_id=ID))
    assert "data:image/#7" == first["content"]


def test_together_they_may_be_too_much() -> None:
    earlier = json.dumps([{"role": "user", "content": "a" * 1_000}]).encode()
    error = refused(Keeper().memory(earlier=earlier), replace(Limits(), body_bytes=900), previous_response_id=ID)
    assert ("previous_response_id", 413, "body_bytes") == (error.field, error.status, error.limit)
    assert error.message.startswith("previous_response_id: ")


def test_mistakes_are_told_at_their_places() -> None:
    memory = Keeper().memory(earlier=json.dumps([HELLO, CALL]).encode())
    assert "input[0].type" == refused(memory, previous_response_id=ID, input=[{"type": "x"}]).field
    assert "previous_response_id[1]" == refused(memory, previous_response_id=ID, tools=[FUNCTION]).field
    assert "input" == refused(memory, previous_response_id=ID, input=3).field
    for wrong in (3, "", "a" * 257):
        assert "previous_response_id" == refused(memory, previous_response_id=wrong).field


def test_what_needs_another_store_is_refused_still() -> None:
    memory = Keeper().memory()
    for name, value in (("background", True), ("conversation", "c"), ("prompt", {"id": "p"})):
        wanted: dict[str, Any] = {name: value}
        error = refused(memory, **wanted)
        assert (name, True) == (error.field, "not offered" in error.message)
    assert "store" == refused(memory, store="yes").field
    assert "nothing is stored here" in refused(None, store=True).message
    assert "nothing is stored here" in refused(None, previous_response_id=ID).message


def test_arrays_are_joined_whatever_is_between_their_brackets() -> None:
    assert b"[1,2 ,3]" == joined(b"[1]", b"[ ]", b"[\n2 ,3\n]", b"[]")
    assert b"[]" == joined(b"[]")


def test_items_are_listed_with_all_that_clients_insist_on() -> None:
    given = [
        {"role": "user", "content": "a"},
        {"type": "message", "role": "assistant", "content": "b", "id": None},
        {"role": "assistant", "content": None},
        {"role": "user", "content": [{"type": "input_text", "text": "c"}], "id": "mine"},
        CALL,
        {"type": "function_call_output", "call_id": "c", "output": "4"},
    ]
    found = listed_items(json.dumps(given).encode(), "resp_1")
    assert ["item_1_0", "item_1_1", "item_1_2", "mine", "fc_1", "item_1_5"] == [name for name, _ in found]
    items = [json.loads(text) for _, text in found]
    assert [name for name, _ in found] == [item["id"] for item in items]
    assert [{"type": "input_text", "text": "a"}] == items[0]["content"]
    assert ("message", "completed") == (items[0]["type"], items[0]["status"])
    assert [{"type": "output_text", "annotations": [], "text": "b"}] == items[1]["content"]
    assert items[2]["content"] is None
    assert CALL == items[4]
