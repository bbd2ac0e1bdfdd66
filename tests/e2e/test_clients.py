"""Official clients, unmodified, against the running stack: what they do with simulated engines, and what it means here.

The first half is imported: the same tests as in tests/conformance, on a real model. Those below know what the pocket
model sees and says.
"""

import json
from typing import Any

import anthropic
import openai
import pytest
from openrouter import OpenRouter

from serving.pocket.tasks.tools import definition
from tests.conformance.clients.anthropic_sdk import *  # noqa: F403
from tests.conformance.clients.anthropic_sdk import COLD
from tests.conformance.clients.anthropic_sdk import seeing as seeing_in_messages
from tests.conformance.clients.node_sdk import *  # noqa: F403
from tests.conformance.clients.node_sdk import run
from tests.conformance.clients.openai_responses import *  # noqa: F403
from tests.conformance.clients.openai_responses import seeing as seeing_in_responses
from tests.conformance.clients.openai_sdk import *  # noqa: F403
from tests.conformance.clients.openrouter_information import *  # noqa: F403
from tests.conformance.clients.openrouter_presets import *  # noqa: F403
from tests.conformance.clients.openrouter_sdk import *  # noqa: F403
from tests.conformance.clients.pictures import SEES, picture_messages
from tests.conformance.served import Served
from tests.e2e.fleet import Fleet

SUM: list[Any] = [{"role": "user", "content": "What is 7 plus 5?"}]
TWELVE = "7 plus 5 is 12."


@pytest.fixture
def served(fleet: Fleet) -> Served:
    """The pocket model does everything."""
    return Served(fleet.root_url, fleet.api_key, fleet.management_key, fleet.model, fleet.model)


def test_openai_hears_what_is_right(openai_client: openai.OpenAI, served: Served) -> None:
    answer = openai_client.chat.completions.create(model=served.model, messages=SUM, temperature=0)
    assert TWELVE == answer.choices[0].message.content
    stream = openai_client.chat.completions.create(
        model=served.model, messages=picture_messages(), temperature=0, stream=True
    )
    assert SEES == "".join(chunk.choices[0].delta.content or "" for chunk in stream)


def test_openai_holds_a_conversation_with_a_tool_whose_ids_have_any_form(
    openai_client: openai.OpenAI, served: Served
) -> None:
    tools: list[Any] = [definition("get_weather"), definition("get_time")]
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = openai_client.chat.completions.create(
        model=served.model, messages=messages, tools=tools, tool_choice="required", temperature=0
    )
    assert first.choices[0].message.tool_calls
    call: Any = first.choices[0].message.tool_calls[0]
    assert "get_weather" == call.function.name
    assert "Paris" in json.loads(call.function.arguments).values()
    messages += [
        {"role": "assistant", "tool_calls": [{**call.model_dump(), "id": "call_of_any_length_and_form"}]},
        {"role": "tool", "tool_call_id": "call_of_any_length_and_form", "content": "sunny"},
    ]
    second = openai_client.chat.completions.create(model=served.model, messages=messages, tools=tools, temperature=0)
    assert second.choices[0].message.content


def test_openai_responses_hears_what_is_right(openai_client: openai.OpenAI, served: Served) -> None:
    seen = openai_client.responses.create(model=served.model, input=seeing_in_responses(), temperature=0)
    assert SEES == seen.output_text
    with openai_client.responses.stream(model=served.model, input=SUM[0]["content"], temperature=0) as stream:
        stream.until_done()
        assert TWELVE == stream.get_final_response().output_text


def test_anthropic_hears_what_is_right(anthropic_client: anthropic.Anthropic, served: Served) -> None:
    with anthropic_client.messages.stream(
        model=served.model, messages=seeing_in_messages(), max_tokens=64, extra_body=COLD
    ) as stream:
        assert SEES == "".join(stream.text_stream)
    answer = anthropic_client.messages.create(model=served.model, messages=SUM, max_tokens=64, extra_body=COLD)
    assert [TWELVE] == [block.text for block in answer.content if block.type == "text"]


def test_openrouter_hears_what_is_right(openrouter_client: OpenRouter, served: Served) -> None:
    answer = openrouter_client.chat.send(model=served.model, messages=picture_messages(), temperature=0, stream=False)
    assert SEES == answer.choices[0].message.content
    with openrouter_client.chat.send(model=served.model, messages=SUM, temperature=0, stream=True) as stream:
        assert TWELVE == "".join(str(chunk.choices[0].delta.content or "") for chunk in stream)


def test_openrouter_lists_the_one_model(openrouter_client: OpenRouter, served: Served) -> None:
    (model,) = openrouter_client.models.list().result.data
    assert served.model == model.id


def test_ai_sdk_hears_what_is_right(node_modules: object, served: Served) -> None:
    assert SEES == run("generateText", served)["text"]
    assert SEES == "".join(run("streamText", served)["pieces"])
