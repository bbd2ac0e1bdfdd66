"""An engine that does what it is asked for, without a model: calls the tool it must, fills the schema it is given.

The simulated engines of `bench` have an engine's timing and nonsense for answers. Clients have code for tool calls,
structured answers, several choices, vectors and rankings too; this answers those, in the shapes of vLLM 0.29.
"""

import base64
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

MODEL = "obedient"
TEXT = "Two blue circles, as far as I can tell."
UNPROCESSABLE = "What no engine can work with."
Json = dict[str, Any]


@contextmanager
def obedient() -> Iterator[str]:
    """Its base URL while it listens, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(_app(), log_level="warning", lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


def instance(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The least value that a schema of the plain kind allows."""
    root = schema if root is None else root
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return instance(root.get("$defs", root.get("definitions", {}))[name], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return instance(schema[word][0], root)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: instance(each, root) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {"type": "string"}), root)] * max(1, schema.get("minItems", 1))
    plain: Json = {"string": "blue", "integer": 2, "number": 2.5, "boolean": True, "null": None}
    return plain[kind]


def _app() -> Starlette:
    routes = [
        Route("/v1/chat/completions", _chat, methods=["POST"]),
        Route("/v1/completions", _complete, methods=["POST"]),
        Route("/v1/embeddings", _embed, methods=["POST"]),
        Route("/v1/rerank", _rank, methods=["POST"]),
        Route("/v1/chat/completions/render", _render, methods=["POST"]),
        Route("/tokenize", _tokenize, methods=["POST"]),
        Route("/v1/models", _models),
        Route("/metrics", _metrics),
        Route("/health", lambda request: Response()),
        Route("/version", lambda request: JSONResponse({"version": "0.29.0"})),
    ]
    return Starlette(routes=routes)


async def _models(request: Request) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": 8192}]})


async def _metrics(request: Request) -> Response:
    return PlainTextResponse('vllm:num_requests_running{engine="0"} 0.0\n')


async def _tokenize(request: Request) -> Response:
    body = await request.json()
    count = len(json.dumps(body.get("messages", body.get("prompt")))) // 4
    return JSONResponse({"count": count, "max_model_len": 8192, "tokens": list(range(count)), "token_strs": None})


async def _render(request: Request) -> Response:
    count = len(json.dumps((await request.json())["messages"])) // 4
    return JSONResponse({"token_ids": list(range(count)), "features": None, "model": MODEL})


async def _chat(request: Request) -> Response:
    body = await request.json()
    if UNPROCESSABLE in json.dumps(body["messages"][-1]):
        error = {"message": "I cannot work with that", "type": "UnprocessableEntityError", "param": None, "code": 422}
        return JSONResponse({"error": error}, status_code=422)
    message, finish = _answer(body)
    count = body.get("n") or 1
    if body.get("stream"):
        return StreamingResponse(_streamed(body, message, finish, count), media_type="text/event-stream")
    choices = [
        {"index": index, "message": message, "logprobs": _logprobs(body), "finish_reason": finish, "stop_reason": None}
        for index in range(count)
    ]
    return JSONResponse({**_identity("chat.completion"), "choices": choices, "usage": _usage()})


def _answer(body: Json) -> tuple[Json, str]:
    """The message and why it ends."""
    message: Json = {"role": "assistant", "content": TEXT, "refusal": None, "tool_calls": [], "reasoning": None}
    tools, choice = body.get("tools") or [], body.get("tool_choice") or "auto"
    has_result = any(each["role"] == "tool" for each in body["messages"])
    if tools and choice != "none" and not (choice == "auto" and has_result):
        named = choice["function"]["name"] if isinstance(choice, dict) else tools[0]["function"]["name"]
        function = next(tool["function"] for tool in tools if tool["function"]["name"] == named)
        arguments = json.dumps(instance(function.get("parameters") or {}))
        call = {"id": "abcdef123", "type": "function", "function": {"name": named, "arguments": arguments}}
        # whoever names the function gets "stop", as at OpenAI: that it would be called was no news
        finish = "stop" if isinstance(choice, dict) else "tool_calls"
        return {**message, "content": None, "tool_calls": [call]}, finish
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        message["content"] = json.dumps(instance(form["json_schema"]["schema"]))
    elif form.get("type") == "json_object":
        message["content"] = '{"colour": "blue"}'
    return message, "stop"


async def _streamed(body: Json, message: Json, finish: str, count: int) -> AsyncIterator[bytes]:
    head = _identity("chat.completion.chunk")
    for index in range(count):
        yield _event(head | {"choices": [_delta(index, {"role": "assistant", "content": ""})]})
    for call in message["tool_calls"]:
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        opened = {"index": 0, **call, "function": {"name": name, "arguments": ""}}
        yield _event(head | {"choices": [_delta(0, {"tool_calls": [opened]})]})
        for piece in _pieces(arguments):
            more = {"index": 0, "function": {"arguments": piece}}
            yield _event(head | {"choices": [_delta(0, {"tool_calls": [more]})]})
    for piece in _pieces(message["content"] or ""):
        for index in range(count):
            choice = _delta(index, {"content": piece}) | {"logprobs": _logprobs(body, piece)}
            yield _event(head | {"choices": [choice]})
    for index in range(count):
        yield _event(head | {"choices": [_delta(index, {"content": ""}) | {"finish_reason": finish}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event(head | {"choices": [], "usage": _usage()})
    yield b"data: [DONE]\n\n"


async def _complete(request: Request) -> Response:
    body = await request.json()
    choices = [{"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "stop", "stop_reason": None}]
    head = _identity("text_completion")
    if not body.get("stream"):
        return JSONResponse({**head, "choices": choices, "usage": _usage()})

    async def events() -> AsyncIterator[bytes]:
        for piece in _pieces(TEXT):
            yield _event(head | {"choices": [{"index": 0, "text": piece, "logprobs": None, "finish_reason": None}]})
        yield _event(head | {"choices": [{"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}]})
        yield _event(head | {"choices": [], "usage": _usage()})
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def _embed(request: Request) -> Response:
    body = await request.json()
    texts = body["input"] if isinstance(body["input"], list) and not isinstance(body["input"][0], int) else [0]
    vector: Any = [0.5, -0.25, 1.0]
    if body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<3f", *vector)).decode()
    data = [{"object": "embedding", "index": at, "embedding": vector} for at, _ in enumerate(texts)]
    usage = {"prompt_tokens": 5, "total_tokens": 5, "completion_tokens": 0, "prompt_tokens_details": None}
    return JSONResponse({"id": "embd-1", "object": "list", "created": 1, "model": MODEL, "data": data, "usage": usage})


async def _rank(request: Request) -> Response:
    body = await request.json()
    documents = [each if isinstance(each, str) else each["text"] for each in body["documents"]]
    results = [
        {"index": at, "document": {"text": text, "multi_modal": None}, "relevance_score": 1 / (at + 1)}
        for at, text in enumerate(documents)
    ]
    usage = {"prompt_tokens": 9, "total_tokens": 9}
    return JSONResponse({"id": "score-1", "model": MODEL, "usage": usage, "results": results[: body.get("top_n")]})


def _identity(kind: str) -> Json:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": MODEL}


def _usage() -> Json:
    return {
        "prompt_tokens": 12,
        "total_tokens": 21,
        "completion_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def _delta(index: int, delta: Json) -> Json:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}


def _logprobs(body: Json, text: str = TEXT) -> Json | None:
    if not body.get("logprobs"):
        return None
    rival = {"token": "x", "logprob": -2.5, "bytes": [120]}
    entry = {"token": text, "logprob": -0.5, "bytes": list(text.encode())}
    return {"content": [{**entry, "top_logprobs": [rival] * (body.get("top_logprobs") or 0)}], "refusal": None}


def _pieces(text: str, size: int = 7) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _event(value: Json) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"
