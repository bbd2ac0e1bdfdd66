"""OpenAI's and OpenRouter's own clients at `/responses` of a real router, with simulated engines behind it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openrouter import OpenRouter, components, errors
from pydantic import BaseModel

from bench.simulator.fleet import Fleet, Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests import fault_behaviours as faults
from tests.integration.conftest import KEY, MODEL, Engine, Router, StartRouter
from tests.router.protocol import pictures

SETTINGS = SimulatorSettings(model="m", gpu="h100", time_scale=0.05)
PNG = json.loads(pictures.data_url(pictures.png(28, 28)))
FUNCTION: Any = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": True}
Work = Callable[[AsyncOpenAI, Router], Awaitable[None]]
# of a small context, where prompts are made to fit unless that is switched off
UNCOMPRESSED = {"plugins": [{"id": "context-compression", "enabled": False}]}


class Colour(BaseModel):
    """What a caller wants to have filled in."""

    name: str


def client_of(router: Router) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{router.url}/api/v1", api_key=KEY, max_retries=0)


def with_client(router: StartRouter, work: Work) -> None:
    async def main() -> None:
        async with fleet(SETTINGS, 1, Place()) as behind, router(*_listeners(behind)) as r, client_of(r) as client:
            await work(client, r)

    asyncio.run(main())


def _listeners(behind: Fleet) -> list[Any]:
    return [each.listener for each in behind.replicas]


def _calls(*pieces: dict[str, Any]) -> bytes:
    delta = json.dumps({"index": 0, "delta": {"tool_calls": pieces}, "logprobs": None, "finish_reason": None})
    return faults.PREFIX + delta.encode() + b"]}\n\n"


CALLING = (
    _calls({"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a"'}}),
    _calls({"index": 0, "function": {"arguments": ":1}"}}),
    faults.LAST.replace(b'"stop"', b'"tool_calls"'),
    faults.USAGE,
    faults.DONE,
)


def test_a_response_is_answered_whole(router: StartRouter) -> None:
    async def work(client: AsyncOpenAI, r: Router) -> None:
        answer = await client.responses.with_raw_response.create(
            model=MODEL, instructions="Be brief.", input="Hello?", max_output_tokens=8
        )
        response = answer.parse()
        assert response.id == answer.headers["x-generation-id"].replace("gen-", "resp_")
        assert ("incomplete", MODEL, "Be brief.") == (response.status, response.model, response.instructions)
        assert response.incomplete_details is not None
        assert "max_output_tokens" == response.incomplete_details.reason
        assert response.output_text
        assert response.usage is not None
        assert 8 == response.usage.output_tokens
        assert 0 < response.usage.to_dict()["cost"]  # type: ignore[operator]

    with_client(router, work)


def test_a_response_is_streamed_as_openais_client_expects(router: StartRouter) -> None:
    async def work(client: AsyncOpenAI, r: Router) -> None:
        asked: Any = {"model": MODEL, "input": "Hello?", "max_output_tokens": 30}
        whole = await client.responses.create(**asked)
        async with client.responses.stream(**asked) as stream:
            events = [event async for event in stream]
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        last = events[-1]
        assert last.type == "response.incomplete"
        assert 10 < len(pieces)
        assert "".join(pieces) == last.response.output_text == whole.output_text
        assert whole.usage is not None
        assert last.response.usage is not None
        assert whole.usage.total_tokens == last.response.usage.total_tokens

    with_client(router, work)


def test_the_answer_is_the_next_turns_input(router: StartRouter) -> None:
    async def work(client: AsyncOpenAI, r: Router) -> None:
        conversation: Any = [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": PNG}],
            }
        ]
        first = await client.responses.create(model=MODEL, input=conversation, max_output_tokens=8)
        conversation += [item.to_dict() for item in first.output]
        conversation.append({"role": "user", "content": "And?"})
        second = await client.responses.create(model=MODEL, input=conversation, max_output_tokens=8)
        assert second.output_text

    with_client(router, work)


def test_openrouters_client_reads_both_kinds_of_answers(router: StartRouter) -> None:
    def ask(url: str) -> None:
        with OpenRouter(api_key=KEY, server_url=f"{url}/api/v1") as client:
            whole = client.responses.send(model=MODEL, input="Hello?", max_output_tokens=8)
            assert "incomplete" == whole.status
            assert isinstance(whole.output[0], components.OutputMessageItem)
            with client.responses.send(model=MODEL, input="Hello?", max_output_tokens=8, stream=True) as stream:
                events = list(stream)
            assert ["response.created", "response.incomplete"] == [events[0].type, events[-1].type]
            with pytest.raises(errors.BadRequestResponseError, match=r"^input\[0\]\.type: ") as refused:
                client.responses.send(
                    model=MODEL, input=[{"type": "local_shell_call_output", "id": "a", "output": "b"}]
                )
            assert 400 == refused.value.data.error.code

    async def work(client: AsyncOpenAI, r: Router) -> None:
        await asyncio.to_thread(ask, r.url)

    with_client(router, work)


def test_a_function_is_called_and_its_result_understood(router: StartRouter) -> None:
    async def main() -> None:
        behaviours = faults.stream(CALLING), faults.good_answer
        async with Engine(*behaviours) as upstream, router(upstream) as r, client_of(r) as client:
            conversation: Any = [{"role": "user", "content": "What?"}]
            async with client.responses.stream(model=MODEL, input=conversation, tools=[FUNCTION]) as stream:
                names = [event.type async for event in stream]
                response = await stream.get_final_response()
            assert 1 == names.count("response.function_call_arguments.done")
            (call,) = response.output
            assert call.type == "function_call"
            assert ("look", '{"a":1}') == (call.name, call.arguments)
            conversation += [
                {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
                {"type": "function_call_output", "call_id": call.call_id, "output": "red"},
            ]
            answer = await client.responses.create(model=MODEL, input=conversation, tools=[FUNCTION])
            assert "Hello" == answer.output_text
            sent = json.loads(upstream.requests[-1].body)["messages"]
            assert ["user", "assistant", "tool"] == [message["role"] for message in sent]

    asyncio.run(main())


def test_a_schema_reaches_the_engine_and_its_answer_is_parsed(router: StartRouter) -> None:
    async def main() -> None:
        red = faults.ANSWER.replace(b'"Hello"', json.dumps('{"name":"red"}').encode())
        async with Engine(faults.whole(200, red)) as upstream, router(upstream) as r, client_of(r) as client:
            response = await client.responses.parse(model=MODEL, input="Which?", text_format=Colour)
            assert response.output_parsed == Colour(name="red")
            sent = json.loads(upstream.requests[0].body)["response_format"]
            assert ("json_schema", "Colour", True) == (
                sent["type"],
                sent["json_schema"]["name"],
                sent["json_schema"]["strict"],
            )

    asyncio.run(main())


def test_errors_name_the_field_of_the_callers_body(router: StartRouter) -> None:
    async def work(client: AsyncOpenAI, r: Router) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model=MODEL, input="Hello?", previous_response_id="resp_1")
        assert ("previous_response_id", "invalid_request_error") == (refused.value.param, refused.value.type)
        with pytest.raises(openai.BadRequestError, match="web_search"):
            await client.responses.create(model=MODEL, input="Hello?", tools=[{"type": "web_search"}])
        with pytest.raises(openai.BadRequestError, match="maximum context length"):
            await client.responses.create(model=MODEL, input="word " * 60_000, extra_body=UNCOMPRESSED)
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="sk-or-v1-nobody").responses.create(model=MODEL, input="Hello?")

    with_client(router, work)


def test_a_stream_that_breaks_is_a_failed_response(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.truncated_stream) as upstream, router(upstream) as r, client_of(r) as client:
            stream = await client.responses.create(model=MODEL, input="Hello?", stream=True)
            last = [event async for event in stream][-1]
            assert last.type == "response.failed"
            assert last.response.error is not None
            assert ("failed", "server_error") == (last.response.status, last.response.error.code)

    asyncio.run(main())


def test_a_conversation_goes_on_from_a_stored_response(router: StartRouter, tmp_path: Path) -> None:
    async def main() -> None:
        behaviours = faults.stream(CALLING), faults.good_answer, faults.stream(), faults.good_answer
        settings: dict[str, Any] = {
            "database": {"url": {"value": f"sqlite:///{tmp_path}/router.db"}},
            "ledger": {"spool": {"directory": str(tmp_path / "spool")}},
            "responses": {"store": True},
        }
        async with Engine(*behaviours) as upstream:
            async with router(upstream, **settings) as r, client_of(r) as client:
                shown: Any = [
                    {
                        "role": "user",
                        "content": [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": PNG}],
                    }
                ]
                async with client.responses.stream(
                    model=MODEL, input=shown, tools=[FUNCTION], store=True, instructions="Be brief."
                ) as stream:
                    called = [event async for event in stream][-1]
                assert called.type == "response.completed"
                first = called.response
                (call,) = first.output
                assert call.type == "function_call"
                result: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "red"}]
                second = await client.responses.create(
                    model=MODEL, input=result, tools=[FUNCTION], store=True, previous_response_id=first.id
                )
                assert ("Hello", first.id) == (second.output_text, second.previous_response_id)
                sent = json.loads(upstream.requests[-1].body)["messages"]
                assert ["user", "assistant", "tool"] == [message["role"] for message in sent]
                assert PNG == sent[0]["content"][1]["image_url"]["url"]
                await client.responses.delete(first.id)
                assert 0 == await r.metric("tramontane_responses_dropped_total")
                stored = await client.responses.retrieve(second.id)
                assert second.to_dict() == stored.to_dict()
            # and another router, which has only what is in the database
            async with router(upstream, **settings) as r, client_of(r) as client:
                again = await client.responses.create(
                    model=MODEL, input="And?", previous_response_id=second.id, stream=True, store=True
                )
                last = [event async for event in again][-1]
                assert last.type == "response.completed"
                sent = json.loads(upstream.requests[-1].body)["messages"]
                assert ["user", "assistant", "tool", "assistant", "user"] == [message["role"] for message in sent]
                items = [item async for item in client.responses.input_items.list(last.response.id, order="asc")]
                assert ["message", "function_call", "function_call_output", "message", "message"] == [
                    item.type for item in items
                ]
                third = await client.responses.create(model=MODEL, input="So?", previous_response_id=last.response.id)
                with pytest.raises(openai.NotFoundError):  # it was not asked to be stored
                    await client.responses.retrieve(third.id)
                for name in (first.id, "resp_unknown"):
                    with pytest.raises(openai.NotFoundError, match="Previous response with id") as refused:
                        await client.responses.create(model=MODEL, input="And?", previous_response_id=name)
                    assert "previous_response_id" == refused.value.param

    asyncio.run(main())


def test_a_broken_stream_is_not_stored(router: StartRouter, tmp_path: Path) -> None:
    async def main() -> None:
        settings: dict[str, Any] = {
            "database": {"url": {"value": f"sqlite:///{tmp_path}/router.db"}},
            "ledger": {"spool": {"directory": str(tmp_path / "spool")}},
            "responses": {"store": True, "by_default": True},
        }
        async with (
            Engine(faults.truncated_stream) as upstream,
            router(upstream, **settings) as r,
            client_of(r) as client,
        ):
            stream = await client.responses.create(model=MODEL, input="Hello?", stream=True)
            last = [event async for event in stream][-1]
            assert last.type == "response.failed"
            with pytest.raises(openai.NotFoundError):
                await client.responses.retrieve(last.response.id)

    asyncio.run(main())
