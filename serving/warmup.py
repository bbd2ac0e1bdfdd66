"""Requests that an engine must have answered before anyone else may ask it.

The first request of each kind pays for lazy imports, compilation and caches: seconds, up to half a minute on a slow
machine. So every kind is asked once, over the same HTTP application that will be announced: text, streaming, a
picture, sampling with all its parameters, a schema, a tool. An engine that cannot answer one of them is never
announced.
"""

import base64
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.types import ASGIApp

PICTURE_PIXELS = 56  # two merged patches a side: the smallest picture with rows and columns
TOKENS = 8
CALL_TOKENS = 64  # a call that is cut off within its arguments would be logged as an error
SAMPLING = {
    "temperature": 1.0,
    "top_p": 0.9,
    "top_k": 20,
    "min_p": 0.01,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "repetition_penalty": 1.1,
    "logit_bias": {"0": -1},
    "logprobs": True,
    "top_logprobs": 2,
    "n": 2,
}


class WarmUpError(RuntimeError):
    """The engine answered a warm-up request with an error."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One warm-up request to `/v1/chat/completions`."""

    kind: str
    body: dict[str, Any]


def probes(model_id: str, *, sees: bool) -> tuple[Probe, ...]:
    """One request of each kind.

    Args:
        model_id: the name the engine serves.
        sees: whether the model takes pictures.
    """

    def ask(kind: str, content: Any, **more: Any) -> Probe:
        message = {"role": "user", "content": content}
        body = {"model": model_id, "messages": [message], "max_tokens": TOKENS, "temperature": 0} | more
        return Probe(kind, body)

    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    picture = [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {"url": _picture()}}]
    return (
        ask("text", "Hello."),
        ask("streaming", "Hello again.", stream=True, stream_options={"include_usage": True}),
        *((ask("image", picture),) if sees else ()),
        ask("sampling", "Hello.", **SAMPLING),
        ask("a JSON object", "An object.", response_format={"type": "json_object"}),
        ask(
            "constrained output",
            "A number.",
            response_format={"type": "json_schema", "json_schema": {"name": "number", "schema": schema}},
        ),
        ask(
            "tool call",
            "Call it.",
            tools=[{"type": "function", "function": {"name": "note", "parameters": schema}}],
            tool_choice="auto",
            max_tokens=CALL_TOKENS,
        ),
    )


async def warm_up(app: ASGIApp, model_id: str, *, sees: bool) -> None:
    """Send every probe through the application, one after the other.

    Raises:
        WarmUpError: naming the kind and the engine's answer.
    """
    async with _client(app) as client:
        for probe in probes(model_id, sees=sees):
            answer = await client.post("/v1/chat/completions", json=probe.body)
            # A stream reports its failures inside a 200.
            if answer.status_code != 200 or '"error"' in answer.text[:200]:
                raise WarmUpError(f"warm-up with {probe.kind}: {answer.status_code} {answer.text[:500]}")


@asynccontextmanager
async def _client(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    # No time limit: loading may take its time, and Ray has a limit of its own for a replica's start.
    async with httpx.AsyncClient(transport=transport, base_url="http://replica", timeout=None) as client:
        yield client


def _picture() -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (PICTURE_PIXELS, PICTURE_PIXELS), "white").save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
