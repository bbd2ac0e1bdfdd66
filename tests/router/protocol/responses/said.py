"""What the gateway gives out, made by the gateway's own parts, and what the skin makes of it."""

import json
from collections.abc import Iterable
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from openrouter.components import OpenResponsesResult, StreamEvents
from pydantic import TypeAdapter

from router.policy.catalog import Price
from router.protocol.chunk import Identity
from router.protocol.limits import Limits
from router.protocol.request import Request
from router.protocol.responses.parse import parse_responses
from router.protocol.responses.skin import ResponsesSkin
from router.protocol.splice import Splicer

IDENTITY = Identity("gen-1700000000-abc", "author/slug", "local", 1_700_000_000)
MODEL = "author/slug"
_openai_event: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_openrouter_event: TypeAdapter[Any] = TypeAdapter(StreamEvents)


def asked(body: dict[str, Any] | None = None, **fields: Any) -> Request:
    """A request with these fields."""
    given = {"model": MODEL, "input": "Hello?", **(body or {}), **fields}
    return parse_responses(json.dumps(given).encode(), Limits())


def skin(**fields: Any) -> ResponsesSkin:
    made = asked(**fields).skin
    assert isinstance(made, ResponsesSkin)
    return made


def from_engine(events: Iterable[bytes], explain: dict[str, object] | None = None) -> bytes:
    """A stream of vLLM's chunks as the gateway gives it out."""
    splicer = Splicer(IDENTITY, Price(prompt=0.25, completion=0.5), explain=lambda: explain)
    return b"".join([splicer.feed(event) for event in events])


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One of the gateway's chunks, by hand. `logprobs` and `error_of_choice` go into the choice."""
    choice = {
        "index": more.pop("index", 0),
        "delta": {"role": "assistant", "content": "", **(delta or {})},
        "finish_reason": finish,
        "logprobs": more.pop("logprobs", None),
        "error": more.pop("error_of_choice", None),
    }
    return IDENTITY.chunk("chat.completion.chunk", {"choices": [choice], **more})


DONE = b"data: [DONE]\n\n"


def events_of(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream, each of which must be one to both official clients; the end must be `[DONE]`."""
    pieces = [piece for piece in stream.split(b"\n\n") if piece and not piece.startswith(b":")]
    assert b"data: [DONE]" == pieces.pop()
    events = []
    for number, piece in enumerate(pieces):
        name, data = piece.split(b"\n")
        event = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        assert number == event["sequence_number"]
        check_event(event)
        events.append(event)
    return events


def check_event(event: dict[str, Any]) -> None:
    assert event["type"] == _openai_event.validate_python(event).type
    known = _openrouter_event.validate_python(event)
    assert known.type != "UNKNOWN", event
    for item in [event["item"]] if "item" in event else event.get("response", {}).get("output", ()):
        assert item["type"] in ("message", "function_call", "reasoning")
    if "response" in event:
        check_response(event["response"])


def check_response(response: dict[str, Any]) -> None:
    Response.model_validate(response)
    known = OpenResponsesResult.model_validate(response)
    assert [item["type"] for item in response["output"]] == [item.type for item in known.output]
    assert "output_text" not in response


def streamed(*pieces: bytes, **fields: Any) -> list[dict[str, Any]]:
    """The events that a skin makes of chunks."""
    return events_of(skin(**fields).feed(b"".join(pieces) + DONE))


def whole(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    """The response that a skin makes of a whole chat completion. `choice`: more of that; `fields`: of the request."""
    fields, choice = more.pop("fields", {}), more.pop("choice", {})
    completion = {
        "id": IDENTITY.generation_id,
        "model": MODEL,
        "object": "chat.completion",
        "created": IDENTITY.created,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", **message},
                "logprobs": None,
                **choice,
            }
        ],
        **more,
    }
    response: dict[str, Any] = json.loads(skin(**fields).whole(json.dumps(completion).encode()))
    check_response(response)
    return response
