"""The official client of OpenAI against `/responses`: whole answers, streams event by event, tools, schemas."""

import json
from typing import Any

import openai
import pytest

from tests.conformance.clients.openai_sdk import Picture
from tests.conformance.clients.pictures import QUESTION, picture_url
from tests.conformance.proves import proves
from tests.conformance.served import Served

TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


def seeing() -> list[Any]:
    """A picture in the words of this API."""
    picture = {"type": "input_image", "image_url": picture_url(), "detail": "auto"}
    return [{"role": "user", "content": [picture, {"type": "input_text", "text": QUESTION}]}]


@proves("POST /responses")
def test_openai_responses_gets_a_whole_answer(openai_client: openai.OpenAI, served: Served) -> None:
    answer = openai_client.responses.create(model=served.model, input=seeing(), max_output_tokens=24, temperature=0)
    assert answer.output_text
    assert "message" == answer.output[0].type
    assert answer.status in ("completed", "incomplete")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_openai_responses_takes_a_plain_text_and_instructions(openai_client: openai.OpenAI, served: Served) -> None:
    answer = openai_client.responses.create(
        model=served.tool_model, input="What is 7 plus 5?", instructions="Be brief.", max_output_tokens=48
    )
    assert answer.output_text


@proves("POST /responses")
def test_openai_responses_streams(openai_client: openai.OpenAI, served: Served) -> None:
    with openai_client.responses.create(
        model=served.model, input=seeing(), max_output_tokens=24, temperature=0, stream=True
    ) as stream:
        events = list(stream)
    kinds = [event.type for event in events]
    assert ["response.created", "response.in_progress"] == kinds[:2]
    assert kinds[-1] in ("response.completed", "response.incomplete")
    assert {"response.output_item.added", "response.content_part.added", "response.output_item.done"} <= set(kinds)
    numbers = [event.sequence_number for event in events]
    assert list(range(len(events))) == numbers
    last: Any = events[-1]
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert last.response.output_text == deltas
    assert deltas


def test_openai_responses_stream_helper_puts_an_answer_together(openai_client: openai.OpenAI, served: Served) -> None:
    with openai_client.responses.stream(model=served.tool_model, input="What is 7 plus 5?") as stream:
        stream.until_done()
        answer = stream.get_final_response()
    assert answer.output_text
    assert answer.usage is not None


def test_openai_responses_parses_a_structured_answer(openai_client: openai.OpenAI, served: Served) -> None:
    answer = openai_client.responses.parse(model=served.tool_model, input="Describe it.", text_format=Picture)
    assert isinstance(answer.output_parsed, Picture)


def test_openai_responses_holds_a_conversation_with_a_tool(openai_client: openai.OpenAI, served: Served) -> None:
    asked: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = openai_client.responses.create(
        model=served.tool_model, input=asked, tools=[TOOL], tool_choice="required", temperature=0
    )
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert "get_weather" == call.name
    assert {"city"} == set(json.loads(call.arguments))
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    again: list[Any] = [*asked, call.model_dump(exclude_none=True), result]
    second = openai_client.responses.create(
        model=served.tool_model, input=again, tools=[TOOL], max_output_tokens=24, temperature=0
    )
    assert second.output_text


def test_openai_responses_streams_a_tool_call(openai_client: openai.OpenAI, served: Served) -> None:
    with openai_client.responses.create(
        model=served.tool_model,
        input="What is the weather in Paris?",
        tools=[TOOL],
        tool_choice="required",
        temperature=0,
        stream=True,
    ) as stream:
        events: list[Any] = list(stream)
    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    (done,) = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert done.arguments == "".join(pieces)
    assert {"city"} == set(json.loads(done.arguments))


def test_openai_responses_raises_for_what_is_not_kept(openai_client: openai.OpenAI, served: Served) -> None:
    with pytest.raises(openai.BadRequestError):
        openai_client.responses.create(model=served.model, input="Go on.", previous_response_id="resp_1")
    with pytest.raises(openai.BadRequestError, match="is not a valid model ID"):
        openai_client.responses.create(model="m/none", input="Hello?")
