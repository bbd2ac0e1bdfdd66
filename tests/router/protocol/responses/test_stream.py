"""The events of a stream, from what engines say to what both official clients read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.router.protocol import engine_chunks as engine
from tests.router.protocol.responses.said import DONE, IDENTITY, chunk, events_of, from_engine, skin, streamed

HELLO = (engine.role(), engine.token("Hel"), engine.token('l"o\n'), engine.finish(), engine.usage(5, 3, 4), engine.DONE)


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def call(arguments: str = "", *, name: str | None = None, id_: str | None = None, index: int = 0) -> bytes:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return chunk({"tool_calls": [{"index": index, **({"id": id_} if id_ else {}), "function": function}]})


def test_a_text_comes_in_the_events_of_openai() -> None:
    events = events_of(skin().feed(from_engine(HELLO)))
    assert types(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert 'Hell"o\n' == "".join(event["delta"] for event in events if event["type"].endswith("delta"))
    assert 'Hell"o\n' == events[6]["text"] == events[7]["part"]["text"]
    response = events[-1]["response"]
    assert "resp_1700000000-abc" == response["id"] == events[0]["response"]["id"]
    assert (response["status"], response["model"], response["created_at"]) == (
        "completed",
        "author/slug",
        1_700_000_000,
    )
    assert response["output"] == [events[8]["item"]]
    assert response["usage"] == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 8,
        "cost": 5 * 0.25 + 3 * 0.5,
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_input_cost": 5 * 0.25,
            "upstream_inference_output_cost": 3 * 0.5,
        },
    }


def test_the_first_events_have_no_output_and_no_usage() -> None:
    created, in_progress, *_ = events_of(skin().feed(from_engine(HELLO)))
    assert created["response"] == in_progress["response"]
    assert created["response"]["status"] == "in_progress"
    assert (created["response"]["output"], created["response"]["usage"]) == ([], None)


def test_ids_are_the_same_whenever_the_same_answer_is_written() -> None:
    assert skin().feed(from_engine(HELLO)) == skin().feed(from_engine(HELLO))


def test_calls_are_items_one_after_the_other() -> None:
    events = streamed(
        chunk({"content": "Let me see."}),
        call(name="look", id_="call_1"),
        call('{"a"'),
        call(":1}"),
        call("{}", name="listen", id_="call_2", index=1),
        chunk(finish="tool_calls"),
        tools=[{"type": "function", "name": "look"}, {"type": "function", "name": "listen"}],
    )
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert [item["type"] for item in done] == ["message", "function_call", "function_call"]
    assert done[1] == {
        "id": "fc_1700000000-abc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "look",
        "arguments": '{"a":1}',
    }
    assert done[2]["arguments"] == "{}"
    assert [event["arguments"] for event in events if event["type"].endswith("arguments.done")] == ['{"a":1}', "{}"]
    assert [event["output_index"] for event in events if "item" in event] == [0, 0, 1, 1, 2, 2]
    assert done == events[-1]["response"]["output"]
    assert "completed" == events[-1]["response"]["status"]


def test_calls_of_one_index_are_told_apart_by_their_ids() -> None:
    events = streamed(call("{}", name="a", id_="1"), call("{}", name="b", id_="2"), chunk(finish="tool_calls"))
    assert ["a", "b"] == [item["name"] for item in events[-1]["response"]["output"]]


def test_a_call_without_an_id_gets_one() -> None:
    (item,) = streamed(call("{}", name="a"), call(" "), chunk(finish="tool_calls"))[-1]["response"]["output"]
    assert ("call_1700000000-abc_0", "{} ") == (item["call_id"], item["arguments"])


def test_a_piece_of_a_call_that_never_began_fails_the_answer() -> None:
    events = streamed(chunk({"content": "a"}), call("{}"), chunk({"content": "b"}))
    failed = events[-1]["response"]
    assert "failed" == failed["status"]
    assert {"code": "server_error", "message": "The answer broke off."} == failed["error"]
    assert "server" == failed["error_type"]
    assert "incomplete" == failed["output"][0]["status"]


def test_reasoning_is_an_item_before_the_message() -> None:
    events = streamed(
        chunk({"reasoning": "Well"}), chunk({"reasoning": "…"}), chunk({"content": "a"}), chunk(finish="stop")
    )
    assert types(events)[2:9] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
    ]
    reasoning, message = events[-1]["response"]["output"]
    assert [{"type": "reasoning_text", "text": "Well…"}] == reasoning["content"]
    assert ([], "completed") == (reasoning["summary"], reasoning["status"])
    assert "a" == message["content"][0]["text"]


def test_a_refusal_is_a_part_of_the_message() -> None:
    events = streamed(
        chunk({"content": "Well."}), chunk({"refusal": "I"}), chunk({"refusal": " won't."}), chunk(finish="stop")
    )
    (message,) = events[-1]["response"]["output"]
    assert ["output_text", "refusal"] == [part["type"] for part in message["content"]]
    assert {"type": "refusal", "refusal": "I won't."} == message["content"][1]
    assert ["I", " won't."] == [event["delta"] for event in events if event["type"] == "response.refusal.delta"]
    assert [0, 1] == [event["content_index"] for event in events if event["type"] == "response.content_part.done"]


def test_logprobs_come_with_the_pieces_they_belong_to() -> None:
    told = {
        "token": "a",
        "logprob": -0.5,
        "bytes": [97],
        "top_logprobs": [{"token": "b", "logprob": -1.0, "bytes": None}],
    }
    bare = {"token": "", "logprob": -9999.0, "bytes": None}
    events = streamed(
        chunk({"content": "a"}, logprobs={"content": [told]}),
        chunk({"content": ""}, logprobs={"content": [bare]}),
        chunk({"content": ""}, logprobs={"content": []}),
        chunk({"content": "b"}, logprobs={"content": None}),
        chunk(finish="stop"),
        include=["message.output_text.logprobs"],
        top_logprobs=1,
    )
    first = {"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1.0}]}
    second = {"token": "", "logprob": -9999.0, "top_logprobs": []}
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    assert [("a", [first]), ("", [second]), ("b", [])] == [(event["delta"], event["logprobs"]) for event in deltas]
    done = next(event for event in events if event["type"] == "response.output_text.done")
    assert [first, second] == done["logprobs"]
    part = events[-1]["response"]["output"][0]["content"][0]
    assert [97] == part["logprobs"][0]["bytes"]
    assert [{"token": "b", "logprob": -1.0, "bytes": []}] == part["logprobs"][0]["top_logprobs"]
    assert {"token": "", "logprob": -9999.0, "bytes": [], "top_logprobs": []} == part["logprobs"][1]
    assert 1 == events[-1]["response"]["top_logprobs"]


FILE = {"type": "file", "file": {"hash": "h", "name": "a.pdf", "content": [{"type": "text", "text": "A"}]}}
PAGE = {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1, "content": "…"}


def test_annotations_are_told_and_kept() -> None:
    events = streamed(
        chunk({"annotations": [FILE]}),
        chunk({"content": "a"}),
        chunk({"annotations": [{"type": "url_citation", "url_citation": PAGE}, {"type": "novel"}]}),
        chunk(finish="stop"),
    )
    added = [event for event in events if event["type"] == "response.output_text.annotation.added"]
    assert [0, 1] == [event["annotation_index"] for event in added]
    file, page = (event["annotation"] for event in added)
    assert {"type": "file_citation", "file_id": "h", "filename": "a.pdf", "index": 0, "file": FILE["file"]} == file
    assert {"type": "url_citation", **PAGE} == page
    assert [file, page] == events[-1]["response"]["output"][0]["content"][0]["annotations"]


def test_a_page_is_cited_without_its_content_too() -> None:
    page = {key: value for key, value in PAGE.items() if key != "content"}
    events = streamed(chunk({"content": "a", "annotations": [{"url_citation": page}]}), chunk(finish="stop"))
    assert [{"type": "url_citation", **page}] == events[-1]["response"]["output"][0]["content"][0]["annotations"]


def test_annotations_of_an_answer_without_text_are_in_its_empty_message() -> None:
    events = streamed(chunk({"annotations": [FILE]}), chunk(finish="stop"))
    (part,) = events[-1]["response"]["output"][0]["content"]
    assert ("", "h") == (part["text"], part["annotations"][0]["file_id"])


def test_an_answer_that_says_nothing_is_an_empty_message() -> None:
    events = streamed(chunk(finish="stop"))
    (message,) = events[-1]["response"]["output"]
    assert ("completed", "") == (message["status"], message["content"][0]["text"])
    assert "output_text.done" in types(events)


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_an_answer_that_was_cut_off_is_incomplete(finish: str, reason: str) -> None:
    events = streamed(chunk({"content": "a"}), chunk(finish=finish))
    assert "response.incomplete" == events[-1]["type"]
    response = events[-1]["response"]
    assert ("incomplete", {"reason": reason}, None) == (
        response["status"],
        response["incomplete_details"],
        response["error"],
    )
    assert "incomplete" == response["output"][0]["status"]


def test_only_the_item_that_was_cut_off_is_incomplete() -> None:
    events = streamed(chunk({"content": "a"}), call("{", name="f", id_="1"), chunk(finish="length"))
    assert ["completed", "incomplete"] == [item["status"] for item in events[-1]["response"]["output"]]


@pytest.mark.parametrize(
    ("error_type", "code"),
    [
        ("rate_limit_exceeded", "rate_limit_exceeded"),
        ("invalid_request", "invalid_prompt"),
        ("content_policy_violation", "image_content_policy_violation"),
        ("image_too_large", "image_too_large"),
        ("provider_unavailable", "server_error"),
        ("timeout", "server_error"),
    ],
)
def test_an_error_in_the_stream_fails_the_response(error_type: str, code: str) -> None:
    error = {"code": 429, "message": "No.", "metadata": {"error_type": error_type}}
    events = streamed(chunk({"content": "a"}), chunk(finish="error", error=error))
    assert "response.failed" == events[-1]["type"]
    response = events[-1]["response"]
    assert ("failed", {"code": code, "message": "No."}) == (response["status"], response["error"])
    assert error_type == response["error_type"]
    assert "a" == response["output"][0]["content"][0]["text"]


def test_an_error_before_the_first_token_fails_a_response_that_was_created() -> None:
    error = {"code": 502, "message": "No.", "metadata": {"error_type": "provider_unavailable"}}
    events = streamed(chunk(finish="error", error=error))
    assert ["created", "in_progress", "failed"] == types(events)
    assert [] == events[-1]["response"]["output"]


@pytest.mark.parametrize("error", [{}, {"metadata": {}}, {"message": 3}, "text", None])
def test_an_error_is_one_whatever_it_looks_like(error: object) -> None:
    response = streamed(chunk(finish="error", error_of_choice=error))[-1]["response"]
    assert ("failed", "server_error", "server") == (
        response["status"],
        response["error"]["code"],
        response["error_type"],
    )
    assert "The answer broke off." == response["error"]["message"]


def test_a_context_that_is_full_ends_the_answer_as_incomplete() -> None:
    error = {"code": 400, "message": "Too long.", "metadata": {"error_type": "context_length_exceeded"}}
    events = streamed(chunk({"content": "a"}), chunk(finish="error", error=error))
    response = events[-1]["response"]
    assert "response.incomplete" == events[-1]["type"]
    assert ({"reason": "max_output_tokens"}, None) == (response["incomplete_details"], response["error"])
    assert "context_length_exceeded" == response["error_type"]
    assert "output_item.done" in types(events)


def test_a_chunk_that_cannot_be_read_fails_the_response_and_ends_the_stream() -> None:
    skin_ = skin()
    written = skin_.feed(chunk({"content": "a"}) + b'data: {"choices":3}\n\n' + chunk({"content": "b"}) + DONE)
    assert "response.failed" == events_of(written)[-1]["type"]
    assert b"" == skin_.feed(chunk({"content": "c"}) + DONE)


@pytest.mark.parametrize("stream", [b"data: nonsense\n\n", DONE])
def test_a_stream_that_never_began_is_an_error_event(stream: bytes) -> None:
    (event,) = events_of(skin().feed(stream))
    assert ("error", "server_error", None) == (event["type"], event["code"], event["param"])


def test_other_choices_are_left_out() -> None:
    events = streamed(chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk(finish="stop"))
    assert "a" == events[-1]["response"]["output"][0]["content"][0]["text"]


def test_how_it_was_routed_is_told_at_the_end() -> None:
    explained: dict[str, object] = {
        "requested": "author/slug",
        "strategy": "direct",
        "region": None,
        "summary": "",
        "attempt": 1,
        "is_byok": False,
        "endpoints": {"total": 1, "available": []},
    }
    events = events_of(skin().feed(from_engine(HELLO, explained)))
    assert explained == events[-1]["response"]["openrouter_metadata"]
    assert "openrouter_metadata" not in events[0]["response"]


def test_comments_pass_through() -> None:
    assert b": OPENROUTER PROCESSING\n\n" == skin().feed(b": OPENROUTER PROCESSING\n\n")
    assert b"" == skin().feed(b"\n\n")


texts = st.text(max_size=6)


@given(
    pieces=st.lists(st.tuples(st.sampled_from(["content", "reasoning", "refusal"]), texts), max_size=5),
    cuts=st.lists(st.integers(0, 4000), max_size=6),
)
def test_events_do_not_depend_on_how_the_stream_was_cut(pieces: list[tuple[str, str]], cuts: list[int]) -> None:
    stream = b"".join([chunk({key: text}) for key, text in pieces])
    stream = b": OPENROUTER PROCESSING\n\n" + stream + call("{}", name="f", id_="1") + chunk(finish="stop") + DONE
    at_once = skin().feed(stream)
    skin_, marks = skin(), sorted(cuts)
    cut = [stream[start:end] for start, end in zip([0, *marks], [*marks, len(stream)], strict=True)]
    assert at_once == b"".join([skin_.feed(piece) for piece in cut])
    events = events_of(at_once)
    for key, kind in [("content", "output_text"), ("reasoning", "reasoning_text"), ("refusal", "refusal")]:
        said = [event["delta"] for event in events if event["type"] == f"response.{kind}.delta"]
        assert "".join(text for of, text in pieces if of == key) == "".join(said)


@given(st.text())
def test_a_text_comes_out_as_it_went_in(text: str) -> None:
    events = streamed(chunk({"content": text}), chunk(finish="stop"))
    assert text == events[-1]["response"]["output"][0]["content"][0]["text"]


def test_the_gateways_identity_is_what_the_ids_are_made_of() -> None:
    assert IDENTITY.generation_id.startswith("gen-")
    assert json.loads(skin().whole(chunk({"content": "a"}).removeprefix(b"data: ")))["id"] == "resp_1700000000-abc"
