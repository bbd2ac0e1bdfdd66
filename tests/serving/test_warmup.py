"""What a replica must have answered before it is announced. Against a real engine: tests/e2e/test_engines.py."""

import asyncio
import base64
import json
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response

from serving.warmup import WarmUpError, probes, warm_up


def engine(seen: list[dict[str, Any]], *, fails: str | None = None) -> FastAPI:
    """Answers every request, but with an error one whose body holds the word."""
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = await request.json()
        seen.append(body)
        if fails and fails in json.dumps(body):
            return Response('data: {"error": {"message": "no grammar"}}', media_type="text/event-stream")
        return Response('{"choices": []}', media_type="application/json")

    return app


def test_every_kind_of_request_is_asked_once() -> None:
    seen: list[dict[str, Any]] = []
    asyncio.run(warm_up(engine(seen), "tramontane/pocket", sees=True))
    assert [probe.body for probe in probes("tramontane/pocket", sees=True)] == seen
    kinds = ["text", "streaming", "image", "sampling", "a JSON object", "constrained output", "tool call"]
    assert kinds == [probe.kind for probe in probes("tramontane/pocket", sees=True)]


def test_a_model_without_eyes_is_shown_no_picture() -> None:
    assert "image" not in [probe.kind for probe in probes("text-only", sees=False)]


def test_the_picture_is_one() -> None:
    (picture,) = (probe for probe in probes("m", sees=True) if probe.kind == "image")
    url = picture.body["messages"][0]["content"][1]["image_url"]["url"]
    assert base64.b64decode(url.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")


def test_an_error_inside_a_stream_is_a_failed_warm_up() -> None:
    with pytest.raises(WarmUpError, match=r"warm-up with constrained output: 200 .*no grammar"):
        asyncio.run(warm_up(engine([], fails="json_schema"), "tramontane/pocket", sees=True))


def test_an_error_status_is_a_failed_warm_up() -> None:
    with pytest.raises(WarmUpError, match="warm-up with text: 404"):
        asyncio.run(warm_up(FastAPI(), "tramontane/pocket", sees=True))
