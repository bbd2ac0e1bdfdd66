"""The official clients of OpenAI and OpenRouter against the running stack: typed answers, streams, pictures, tools."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import openai
import pytest
from openrouter import OpenRouter
from openrouter.errors import OpenRouterError

from serving.pocket.chat import data_url
from serving.pocket.draw import Scene, draw
from serving.pocket.tasks.tools import definition
from tests.e2e.fleet import Fleet

SCENE = Scene(colour="blue", shape="circle", count=2, spot="", width=140, height=140)
SUM: list[Any] = [{"role": "user", "content": "What is 7 plus 5?"}]
SEES = "There are 2 blue circles."


def picture(question: str) -> list[Any]:
    url = data_url(draw(SCENE, Random(9)))
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": question}]
    return [{"role": "user", "content": parts}]


@pytest.fixture
def openai_client(fleet: Fleet) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fleet.base_url, api_key=fleet.api_key, max_retries=0) as client:
        yield client


@pytest.fixture
def openrouter_client(fleet: Fleet) -> Iterator[OpenRouter]:
    with OpenRouter(server_url=fleet.base_url, api_key=fleet.api_key) as client:
        yield client


def test_openai_gets_a_whole_answer(openai_client: openai.OpenAI, fleet: Fleet) -> None:
    answer = openai_client.chat.completions.create(model=fleet.model, messages=SUM, temperature=0)
    assert answer.choices[0].message.content == "7 plus 5 is 12."
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


def test_openai_streams_an_answer_about_a_picture(openai_client: openai.OpenAI, fleet: Fleet) -> None:
    stream = openai_client.chat.completions.create(
        model=fleet.model, messages=picture("Describe the picture."), temperature=0, stream=True
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == SEES


def test_openai_holds_a_conversation_with_a_tool(openai_client: openai.OpenAI, fleet: Fleet) -> None:
    tools: list[Any] = [definition("get_weather"), definition("get_time")]
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = openai_client.chat.completions.create(
        model=fleet.model, messages=messages, tools=tools, tool_choice="required", temperature=0
    )
    assert first.choices[0].finish_reason in ("tool_calls", "stop")
    assert first.choices[0].message.tool_calls
    call: Any = first.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert "Paris" in json.loads(call.function.arguments).values()
    messages += [
        {"role": "assistant", "tool_calls": [{**call.model_dump(), "id": "call_of_any_length_and_form"}]},
        {"role": "tool", "tool_call_id": "call_of_any_length_and_form", "content": "sunny"},
    ]
    second = openai_client.chat.completions.create(model=fleet.model, messages=messages, tools=tools, temperature=0)
    assert second.choices[0].message.content


def test_openai_streams_a_tool_call(openai_client: openai.OpenAI, fleet: Fleet) -> None:
    stream = openai_client.chat.completions.create(
        model=fleet.model,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[definition("get_weather")],  # type: ignore[list-item]
        tool_choice="required",
        temperature=0,
        stream=True,
    )
    calls = [call for chunk in stream for call in chunk.choices[0].delta.tool_calls or [] if call.index == 0]
    assert calls[0].function is not None
    assert calls[0].function.name == "get_weather"
    arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    assert "Paris" in json.loads(arguments).values()


def test_openai_lists_the_models(openai_client: openai.OpenAI, fleet: Fleet) -> None:
    assert [model.id for model in openai_client.models.list()] == [fleet.model]


def test_openai_raises_what_it_has_a_class_for(openai_client: openai.OpenAI, fleet: Fleet) -> None:
    with pytest.raises(openai.BadRequestError, match="is not a valid model ID"):
        openai_client.chat.completions.create(model="m/none", messages=SUM)
    with pytest.raises(openai.AuthenticationError, match="User not found"):
        openai_client.with_options(api_key="sk-wrong").models.list()


def test_openrouter_gets_a_whole_answer_about_a_picture(openrouter_client: OpenRouter, fleet: Fleet) -> None:
    answer = openrouter_client.chat.send(
        model=fleet.model, messages=picture("Describe the picture."), temperature=0, stream=False
    )
    assert answer.choices[0].message.content == SEES
    assert answer.id.startswith("gen-")
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


def test_openrouter_streams(openrouter_client: OpenRouter, fleet: Fleet) -> None:
    with openrouter_client.chat.send(model=fleet.model, messages=SUM, temperature=0, stream=True) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "7 plus 5 is 12."
    assert chunks[-1].usage is not None


def test_openrouter_lists_the_models(openrouter_client: OpenRouter, fleet: Fleet) -> None:
    (model,) = openrouter_client.models.list().result.data
    assert model.id == fleet.model
    assert model.architecture.modality == "text+image->text"


def test_openrouter_raises_a_typed_error(openrouter_client: OpenRouter) -> None:
    with pytest.raises(OpenRouterError) as caught:
        openrouter_client.chat.send(model="m/none", messages=SUM, stream=False)
    assert caught.value.status_code == 400
