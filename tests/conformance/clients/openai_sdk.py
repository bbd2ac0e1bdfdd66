"""The official client of OpenAI against a router: what its types, helpers and error classes make of our answers."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

from serving.pocket.tasks.tools import definition
from tests.conformance.clients.pictures import picture_messages
from tests.conformance.proves import proves
from tests.conformance.served import Served

ASKED: list[Any] = [{"role": "user", "content": "What is 7 plus 5?"}]
WEATHER: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOLS: list[Any] = [definition("get_weather"), definition("get_time")]


class Picture(BaseModel):
    """What a structured answer is parsed into."""

    colour: Literal["blue", "red"]
    count: Literal[1, 2, 3]


@pytest.fixture
def openai_client(served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=served.base_url, api_key=served.api_key, max_retries=0) as client:
        yield client


@proves("POST /chat/completions")
def test_openai_chat_gets_a_whole_answer(openai_client: openai.OpenAI, served: Served) -> None:
    raw = openai_client.chat.completions.with_raw_response.create(
        model=served.model, messages=picture_messages(), max_tokens=8, temperature=0
    )
    answer = raw.parse()
    assert raw.headers["x-generation-id"] == answer.id
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens is not None


@proves("POST /chat/completions")
def test_openai_chat_streams(openai_client: openai.OpenAI, served: Served) -> None:
    with openai_client.chat.completions.create(
        model=served.model, messages=picture_messages(), max_tokens=8, temperature=0, stream=True
    ) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert 1 == len({chunk.id for chunk in chunks})
    assert 1 == sum(chunk.usage is not None for chunk in chunks)
    assert chunks[-1].usage is not None


def test_openai_stream_helper_puts_a_stream_together(openai_client: openai.OpenAI, served: Served) -> None:
    with openai_client.chat.completions.stream(model=served.model, messages=ASKED) as stream:
        kinds = {event.type for event in stream}
        answer = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert answer.choices[0].message.content
    assert answer.usage is not None


def test_openai_parses_a_structured_answer(openai_client: openai.OpenAI, served: Served) -> None:
    answer = openai_client.chat.completions.parse(model=served.tool_model, messages=ASKED, response_format=Picture)
    parsed = answer.choices[0].message.parsed
    assert parsed is not None
    assert parsed.colour in ("blue", "red")
    assert parsed.count in (1, 2, 3)


def test_openai_stream_helper_parses_a_structured_answer(openai_client: openai.OpenAI, served: Served) -> None:
    with openai_client.chat.completions.stream(
        model=served.tool_model, messages=ASKED, response_format=Picture
    ) as stream:
        stream.until_done()
        answer = stream.get_final_completion()
    assert isinstance(answer.choices[0].message.parsed, Picture)


def test_openai_holds_a_conversation_with_a_tool(openai_client: openai.OpenAI, served: Served) -> None:
    first = openai_client.chat.completions.create(
        model=served.tool_model, messages=WEATHER, tools=TOOLS, tool_choice="required", temperature=0
    )
    message = first.choices[0].message
    assert message.tool_calls
    call: Any = message.tool_calls[0]
    assert "get_weather" == call.function.name
    assert {"city"} == set(json.loads(call.function.arguments))
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    second = openai_client.chat.completions.create(
        model=served.tool_model,
        messages=[*WEATHER, message.model_dump(exclude_none=True), result],  # type: ignore[list-item]
        tools=TOOLS,
        max_tokens=24,
        temperature=0,
    )
    assert second.choices[0].message.content


def test_openai_stream_helper_puts_a_tool_call_together(openai_client: openai.OpenAI, served: Served) -> None:
    choice: Any = {"type": "function", "function": {"name": "get_time"}}
    with openai_client.chat.completions.stream(
        model=served.tool_model, messages=WEATHER, tools=TOOLS, tool_choice=choice, temperature=0
    ) as stream:
        stream.until_done()
        answer = stream.get_final_completion()
    calls: Any = answer.choices[0].message.tool_calls
    assert ["get_time"] == [call.function.name for call in calls]
    assert {"city"} == set(json.loads(calls[0].function.arguments))


def test_openai_gets_several_choices_and_log_probabilities(openai_client: openai.OpenAI, served: Served) -> None:
    answer = openai_client.chat.completions.create(
        model=served.tool_model, messages=ASKED, n=2, logprobs=True, top_logprobs=2, max_tokens=12
    )
    assert [0, 1] == [choice.index for choice in answer.choices]
    assert answer.choices[0].logprobs is not None
    assert answer.choices[0].logprobs.content is not None
    assert 2 == len(answer.choices[0].logprobs.content[0].top_logprobs)


@proves("POST /completions")
def test_openai_completes_a_text(openai_client: openai.OpenAI, served: Served) -> None:
    going_on: Any = {"min_tokens": 4}  # whatever the model would rather do
    answer = openai_client.completions.create(
        model=served.model, prompt="Two circles", max_tokens=6, extra_body=going_on
    )
    assert answer.choices[0].text
    assert answer.usage is not None
    with openai_client.completions.create(
        model=served.model, prompt="Two circles", max_tokens=6, stream=True, extra_body=going_on
    ) as stream:
        assert "".join(chunk.choices[0].text or "" for chunk in stream)


@proves("GET /models")
def test_openai_lists_the_models(openai_client: openai.OpenAI, served: Served) -> None:
    assert served.model in [model.id for model in openai_client.models.list()]


def test_openai_raises_what_it_has_a_class_for(openai_client: openai.OpenAI, served: Served) -> None:
    with pytest.raises(openai.BadRequestError, match="is not a valid model ID") as caught:
        openai_client.chat.completions.create(model="m/none", messages=ASKED)
    assert isinstance(caught.value.body, dict)
    assert 400 == caught.value.body["code"]
    with pytest.raises(openai.AuthenticationError, match="User not found"):
        openai_client.with_options(api_key="sk-wrong").models.list()
    with pytest.raises(openai.PermissionDeniedError, match="Management keys cannot be used"):
        openai_client.with_options(api_key=served.management_key).chat.completions.create(
            model=served.model, messages=ASKED
        )


def test_openai_works_under_its_own_base_too(openai_client: openai.OpenAI, served: Served) -> None:
    answer = openai_client.with_options(base_url=served.root_url + "/v1").chat.completions.create(
        model=served.model, messages=ASKED, max_tokens=4
    )
    assert answer.choices[0].message.content
