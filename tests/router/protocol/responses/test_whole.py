"""Whole answers: a chat completion as a response object."""

import pytest

from router.protocol.errors import ApiError
from tests.router.protocol.responses.said import skin, whole

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def test_a_text_is_a_message() -> None:
    response = whole({"content": 'a "b"\n'}, usage=USAGE)
    assert response["output"] == [
        {
            "id": "msg_1700000000-abc_0",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": 'a "b"\n', "annotations": [], "logprobs": []}],
        }
    ]
    assert ("response", "completed", None, None) == (
        response["object"],
        response["status"],
        response["error"],
        response["incomplete_details"],
    )
    assert (5, 2, 7, None) == tuple(
        response["usage"][key] for key in ("input_tokens", "output_tokens", "total_tokens", "cost")
    )


def test_reasoning_text_refusal_and_calls_are_items_in_this_order() -> None:
    response = whole(
        {
            "content": "Well.",
            "reasoning": "Hm.",
            "refusal": "No.",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
        },
        "tool_calls",
    )
    reasoning, message, call = response["output"]
    assert [{"type": "reasoning_text", "text": "Hm."}] == reasoning["content"]
    assert ["Well.", "No."] == [part.get("text") or part.get("refusal") for part in message["content"]]
    assert ("call_1", "f", '{"a":1}') == (call["call_id"], call["name"], call["arguments"])


def test_calls_alone_have_no_message_beside_them() -> None:
    calls = [{"id": str(index), "function": {"name": "f", "arguments": "{}"}} for index in range(2)]
    output = whole({"content": None, "tool_calls": calls}, "tool_calls")["output"]
    assert [("function_call", "0"), ("function_call", "1")] == [(item["type"], item["call_id"]) for item in output]


def test_logprobs_are_in_the_text() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}], "refusal": None}
    response = whole({"content": "a"}, choice={"logprobs": logprobs})
    assert logprobs["content"] == response["output"][0]["content"][0]["logprobs"]


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [("length", "incomplete", "max_output_tokens"), ("content_filter", "incomplete", "content_filter")],
)
def test_an_answer_that_was_cut_off_is_incomplete(finish: str, status: str, reason: str) -> None:
    response = whole({"content": "a"}, finish)
    assert (status, {"reason": reason}) == (response["status"], response["incomplete_details"])
    assert status == response["output"][0]["status"]


def test_an_answer_that_failed_says_so() -> None:
    error = {"code": 502, "message": "Gone.", "metadata": {"error_type": "provider_unavailable"}}
    response = whole({"content": "a"}, "error", choice={"error": error})
    assert ("failed", "provider_unavailable") == (response["status"], response["error_type"])
    assert {"code": "server_error", "message": "Gone."} == response["error"]


@pytest.mark.parametrize("body", [b"[]", b'{"choices":[{"message":{"tool_calls":[{"function":{}}]}}]}'])
def test_an_answer_that_cannot_be_read_is_the_providers_fault(body: bytes) -> None:
    with pytest.raises(ApiError) as failed:
        skin().whole(body)
    assert (502, "provider_unavailable") == (failed.value.status, failed.value.error_type)


def test_a_usage_of_nothing_is_null() -> None:
    assert whole({"content": "a"})["usage"] is None


def test_the_settings_of_the_request_are_repeated() -> None:
    fields = {
        "instructions": "Be brief.",
        "max_output_tokens": 9,
        "max_tool_calls": 2,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "tool_choice": {"type": "function", "name": "f"},
        "tools": [
            {
                "type": "function",
                "name": "f",
                "description": "d",
                "parameters": {"type": "object", "properties": {}},
                "strict": True,
            }
        ],
        "text": {
            "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
            "verbosity": "low",
        },
        "truncation": "auto",
        "reasoning": {"effort": "low"},
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "user": "u",
    }
    response = whole({"content": "{}"}, fields=fields)
    assert fields == {key: response[key] for key in fields}


def test_settings_that_were_not_given_are_openais_or_null() -> None:
    response = whole({"content": "a"})
    assert response["text"] == {"format": {"type": "text"}}
    assert (response["tools"], response["tool_choice"], response["parallel_tool_calls"]) == ([], "auto", True)
    assert (response["store"], response["background"], response["previous_response_id"]) == (False, False, None)
    assert (response["temperature"], response["metadata"], response["truncation"]) == (None, {}, "disabled")
