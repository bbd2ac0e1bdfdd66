"""The official client of Anthropic against `/messages`: whole answers, streams, pictures, tools, counting tokens."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.conformance.clients.pictures import QUESTION, png_base64
from tests.conformance.proves import proves
from tests.conformance.served import Served

COLD = {"temperature": 0}  # the newest client has no argument for it
ASKED: list[Any] = [{"role": "user", "content": "What is 7 plus 5?"}]
WEATHER: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOL: Any = {
    "name": "get_weather",
    "description": "Get the weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def anthropic_client(served: Served) -> Iterator[anthropic.Anthropic]:
    """With the key where Anthropic's clients put it."""
    with anthropic.Anthropic(base_url=served.root_url + "/api", api_key=served.api_key, max_retries=0) as client:
        yield client


def seeing() -> list[Any]:
    source = {"type": "base64", "media_type": "image/png", "data": png_base64()}
    return [{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": QUESTION}]}]


@proves("POST /messages")
def test_anthropic_gets_a_whole_answer_about_a_picture(anthropic_client: anthropic.Anthropic, served: Served) -> None:
    answer = anthropic_client.messages.create(model=served.model, messages=seeing(), max_tokens=24)
    assert "message" == answer.type
    assert "assistant" == answer.role
    assert answer.content[0].type == "text"
    assert answer.content[0].text
    assert answer.stop_reason in ("end_turn", "max_tokens")
    assert answer.usage.input_tokens + (answer.usage.cache_read_input_tokens or 0) > 0
    assert answer.usage.output_tokens > 0


def test_anthropic_reads_a_token_as_bearer_too(served: Served) -> None:
    """As Claude Code with ANTHROPIC_AUTH_TOKEN does."""
    with anthropic.Anthropic(base_url=served.root_url + "/api", auth_token=served.api_key, max_retries=0) as client:
        answer = client.messages.create(model=served.model, system="Be brief.", messages=ASKED, max_tokens=4)
        assert answer.content


@proves("POST /messages")
def test_anthropic_streams(anthropic_client: anthropic.Anthropic, served: Served) -> None:
    with anthropic_client.messages.create(model=served.model, messages=seeing(), max_tokens=24, stream=True) as stream:
        kinds = [event.type for event in stream]
    assert "message_start" == kinds[0]
    assert ["content_block_stop", "message_delta", "message_stop"] == kinds[-3:]
    assert "content_block_delta" in kinds


def test_anthropic_stream_helper_puts_an_answer_together(anthropic_client: anthropic.Anthropic, served: Served) -> None:
    with anthropic_client.messages.stream(model=served.model, messages=seeing(), max_tokens=24) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    assert text
    assert answer.content[0].type == "text"
    assert text == answer.content[0].text
    assert answer.stop_reason in ("end_turn", "max_tokens")
    assert answer.usage.output_tokens > 0


def test_anthropic_holds_a_conversation_with_a_tool(anthropic_client: anthropic.Anthropic, served: Served) -> None:
    first = anthropic_client.messages.create(
        model=served.tool_model,
        messages=WEATHER,
        tools=[TOOL],
        tool_choice={"type": "any"},
        max_tokens=64,
        extra_body=COLD,
    )
    assert "tool_use" == first.stop_reason
    (use,) = [block for block in first.content if block.type == "tool_use"]
    assert "get_weather" == use.name
    assert {"city"} == set(use.input)
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}
    turns: list[Any] = [
        *WEATHER,
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        {"role": "user", "content": [result]},
    ]
    second = anthropic_client.messages.create(
        model=served.tool_model, messages=turns, tools=[TOOL], max_tokens=24, extra_body=COLD
    )
    assert second.content


def test_anthropic_stream_helper_puts_a_tool_call_together(
    anthropic_client: anthropic.Anthropic, served: Served
) -> None:
    with anthropic_client.messages.stream(
        model=served.tool_model,
        messages=WEATHER,
        tools=[TOOL],
        tool_choice={"type": "tool", "name": "get_weather"},
        max_tokens=64,
        extra_body=COLD,
    ) as stream:
        answer = stream.get_final_message()
    assert "tool_use" == answer.stop_reason
    (use,) = [block for block in answer.content if block.type == "tool_use"]
    assert {"city"} == set(use.input)


def test_anthropic_counts_tokens(anthropic_client: anthropic.Anthropic, served: Served) -> None:
    counted = anthropic_client.messages.count_tokens(model=served.model, messages=ASKED)
    answer = anthropic_client.messages.create(model=served.model, messages=ASKED, max_tokens=4)
    usage = answer.usage
    assert counted.input_tokens == usage.input_tokens + (usage.cache_read_input_tokens or 0)


def test_anthropic_raises_what_it_has_a_class_for(anthropic_client: anthropic.Anthropic, served: Served) -> None:
    with pytest.raises(anthropic.BadRequestError, match="is not a valid model ID") as caught:
        anthropic_client.messages.create(model="m/none", messages=ASKED, max_tokens=4)
    assert isinstance(caught.value.body, dict)
    assert "error" == caught.value.body["type"]
    assert "invalid_request_error" == caught.value.body["error"]["type"]
    with pytest.raises(anthropic.AuthenticationError):
        anthropic_client.with_options(api_key="sk-wrong").messages.create(
            model=served.model, messages=ASKED, max_tokens=4
        )
