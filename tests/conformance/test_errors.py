"""Every error status that the router has is brought about once by what really causes it, and told in each API's shape.

What cannot be brought about, and why:

- 500 is a mistake of the router's own, so a cause that is known would be repaired. Its shape is tested with the
  exchange (tests/router/api/test_exchange.py).
- 524 is said by a proxy on the way, never by us; a clock that runs out here is a 504.
- 529 is Anthropic's own for overload; `/messages` says 503 with the type `overloaded_error`, which clients look at.
"""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest
from openrouter import OpenRouter

from tests.conformance import obedient
from tests.conformance.served import (
    EYES,
    KEY,
    MANAGEMENT,
    TOOLS,
    configuration,
    pool,
    router,
    simulators,
)

BLIND, SLOW, DEAD, BUSY, CUT = "m/blind", "m/slow", "m/dead", "m/busy", "m/cut"
BODY_BYTES = 20_000
TEXT = "What is 7 plus 5?"
TYPES = {
    "authentication": "authentication_error",
    "payment_required": "billing_error",
    "permission_denied": "permission_error",
    "not_found": "not_found_error",
    "rate_limit_exceeded": "rate_limit_error",
    "provider_overloaded": "overloaded_error",
    "timeout": "timeout_error",
    **dict.fromkeys(("invalid_request", "payload_too_large", "unprocessable"), "invalid_request_error"),
}


@dataclass(frozen=True)
class Troubled:
    """A router before engines that fail, each model in its own way."""

    url: str

    def make_key(self, **fields: Any) -> str:
        """The secret of a new key."""
        headers = {"Authorization": f"Bearer {MANAGEMENT}"}
        made = httpx.post(f"{self.url}/api/v1/keys", headers=headers, json={"name": "errors", **fields})
        assert 201 == made.status_code, made.text
        return str(made.json()["key"])

    def ask(self, path: str, model: str, text: str = TEXT, *, key: str | None = KEY, picture: bool = False) -> Any:
        """The same request in the words of the path's API."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        body = {"model": model, **BODIES[path](text, picture)}
        return httpx.post(f"{self.url}/api/v1{path}", headers=headers, json=body, timeout=60)


def _chat(text: str, picture: bool) -> dict[str, Any]:
    content: Any = text
    if picture:
        content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": _PNG}}]
    return {"messages": [{"role": "user", "content": content}], "max_tokens": 64}


def _responses(text: str, picture: bool) -> dict[str, Any]:
    parts: list[Any] = [{"type": "input_text", "text": text}]
    parts += [{"type": "input_image", "image_url": _PNG, "detail": "auto"}] if picture else []
    return {"input": [{"role": "user", "content": parts}], "max_output_tokens": 64}


def _messages(text: str, picture: bool) -> dict[str, Any]:
    parts: list[Any] = [{"type": "text", "text": text}]
    source = {"type": "base64", "media_type": "image/png", "data": _PIXEL}
    parts += [{"type": "image", "source": source}] if picture else []
    return {"messages": [{"role": "user", "content": parts}], "max_tokens": 64}


_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPhfDwAChAGAu1K7kwAAAABJRU5ErkJggg=="
_PNG = f"data:image/png;base64,{_PIXEL}"
BODIES: Mapping[str, Callable[[str, bool], dict[str, Any]]] = {
    "/chat/completions": _chat,
    "/responses": _responses,
    "/messages": _messages,
}
SKINS = tuple(BODIES)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troubled]:
    folder = tmp_path_factory.mktemp("troubled")
    with simulators(5) as (engines, admin), obedient.obedient() as obeys:
        faults = {1: {"fault": "hang"}, 2: {"fault": "reset"}, 3: {"fault": "503", "retry_after_s": 2}}
        faults[4] = {"fault": "truncate", "after_tokens": 3}
        failing = enumerate(("slow", "dead", "busy", "cut"), 1)
        hung, dead, busy, cut = (pool(engines[at], "m", name=name) for at, name in failing)
        text = {"context_length": 8192}
        models = [
            {"id": EYES, **text, "input_modalities": ["text", "image"], "pools": [pool(engines[0], "m")]},
            {"id": BLIND, **text, "pools": [pool(engines[0], "m", name="blind")]},
            {"id": TOOLS, **text, "pools": [pool(obeys, obedient.MODEL)]},
            {"id": SLOW, **text, "pools": [hung]},
            {"id": DEAD, **text, "pools": [dead]},
            {"id": BUSY, **text, "pools": [busy]},
            {"id": CUT, **text, "pools": [cut]},
        ]
        config = configuration(
            folder,
            models,
            limits={"body_bytes": BODY_BYTES},
            deadlines={"first_token_s": 1.0, "total_s": 3.0},
            front={"body_gap_s": 0.5},
            breaker={
                "minimum_volume": 1000,
                "consecutive_unanswered": 1000,
                "hold_off_max_s": 0.01,
                "hold_off_s": 0.01,
            },
        )
        with router(folder, config) as url:
            for engine, fault in faults.items():
                httpx.put(f"{admin}/admin/faults", params={"engine": engine}, content=json.dumps(fault))
            yield Troubled(url)


def check(path: str, answer: httpx.Response, status: int, error_type: str) -> str:
    """Assert the shape that the path's API has for errors; gives the message."""
    assert status == answer.status_code, answer.text
    assert answer.headers["x-generation-id"].startswith("gen-")
    told = answer.json()
    if path == "/messages":
        assert "error" == told["type"]
        assert TYPES.get(error_type, "api_error") == told["error"]["type"]
        assert error_type == told["error"]["error_type"]
        assert "request_id" in told
    else:
        assert status == told["error"]["code"]
        assert error_type == told["error"]["metadata"]["error_type"]
    if path == "/responses":
        assert error_type == told["error_type"]
        assert told["error"]["type"]
    message = told["error"]["message"]
    assert message
    return str(message)


every_skin = pytest.mark.parametrize("path", SKINS)


@every_skin
def test_400_for_a_model_that_is_none(troubled: Troubled, path: str) -> None:
    assert "is not a valid model ID" in check(path, troubled.ask(path, "m/none"), 400, "invalid_request")


@every_skin
def test_401_without_a_key_and_with_a_wrong_one(troubled: Troubled, path: str) -> None:
    nobody, stranger = troubled.ask(path, EYES, key=None), troubled.ask(path, EYES, key="sk-or-v1-" + "f" * 64)
    assert "Missing Authentication header" == check(path, nobody, 401, "authentication")
    assert "User not found." == check(path, stranger, 401, "authentication")


@every_skin
def test_402_when_the_keys_limit_is_spent(troubled: Troubled, path: str) -> None:
    answer = troubled.ask(path, EYES, key=troubled.make_key(limit=0.0))
    assert "Insufficient credits" in check(path, answer, 402, "payment_required")


@every_skin
def test_403_for_a_key_that_administers(troubled: Troubled, path: str) -> None:
    answer = troubled.ask(path, EYES, key=MANAGEMENT)
    assert "Management keys cannot" in check(path, answer, 403, "permission_denied")


@every_skin
def test_404_when_no_endpoint_can_see(troubled: Troubled, path: str) -> None:
    answer = troubled.ask(path, BLIND, picture=True)
    assert "No endpoints found that support image input" in check(path, answer, 404, "not_found")


@every_skin
def test_408_for_a_body_that_stops_coming(troubled: Troubled, path: str) -> None:
    """Said at the door, in OpenRouter's shape whatever the path."""
    host, _, port = troubled.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = f"POST /api/v1{path} HTTP/1.1\r\nHost: router\r\nAuthorization: Bearer {KEY}\r\n"
        connection.sendall(head.encode() + b"Content-Length: 100\r\n\r\n{")
        status, _, rest = connection.makefile("rb").read().partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 408")
    error = json.loads(rest.partition(b"\r\n\r\n")[2])["error"]
    assert (408, "timeout") == (error["code"], error["metadata"]["error_type"])


@every_skin
def test_413_for_a_body_that_is_too_large(troubled: Troubled, path: str) -> None:
    answer = troubled.ask(path, EYES, "a" * BODY_BYTES)
    assert str(BODY_BYTES) in check(path, answer, 413, "payload_too_large")


@every_skin
def test_422_when_the_engine_cannot_work_with_it(troubled: Troubled, path: str) -> None:
    answer = troubled.ask(path, TOOLS, obedient.UNPROCESSABLE)
    assert "I cannot work with that" in check(path, answer, 422, "unprocessable")


@every_skin
def test_429_for_a_key_that_asks_too_often(troubled: Troubled, path: str) -> None:
    key = troubled.make_key(rates={"requests_per_min": 1})
    assert 200 == troubled.ask(path, EYES, key=key).status_code
    answer = troubled.ask(path, EYES, key=key)
    assert "Rate limit exceeded" in check(path, answer, 429, "rate_limit_exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "0" == answer.headers["x-ratelimit-remaining"]


@every_skin
def test_502_when_the_engine_cuts_every_connection(troubled: Troubled, path: str) -> None:
    check(path, troubled.ask(path, DEAD), 502, "provider_unavailable")


@every_skin
def test_503_when_the_engine_is_busy(troubled: Troubled, path: str) -> None:
    answer = troubled.ask(path, BUSY)
    check(path, answer, 503, "provider_overloaded")
    assert int(answer.headers["retry-after"]) >= 1


@every_skin
def test_504_when_the_first_token_does_not_come(troubled: Troubled, path: str) -> None:
    check(path, troubled.ask(path, SLOW), 504, "timeout")


def test_a_stream_that_breaks_is_an_error_to_each_official_client(troubled: Troubled) -> None:
    """Never an answer that looks whole."""
    turns: Any = [{"role": "user", "content": TEXT}]
    with openai.OpenAI(base_url=f"{troubled.url}/api/v1", api_key=KEY, max_retries=0) as client:
        heard: list[Any] = []
        with pytest.raises(openai.APIError):
            heard.extend(client.chat.completions.create(model=CUT, messages=turns, stream=True))
        assert heard
        events = list(client.responses.create(model=CUT, input=TEXT, stream=True))
        assert "response.failed" == events[-1].type
    with anthropic.Anthropic(base_url=f"{troubled.url}/api", api_key=KEY, max_retries=0) as client:
        said: list[Any] = []
        with pytest.raises(anthropic.APIStatusError):
            said.extend(client.messages.create(model=CUT, messages=turns, max_tokens=64, stream=True))
        assert "content_block_delta" in {event.type for event in said}
        assert "message_stop" not in {event.type for event in said}
    with OpenRouter(server_url=f"{troubled.url}/api/v1", api_key=KEY) as client:
        with client.chat.send(model=CUT, messages=turns, stream=True) as stream:
            chunks = list(stream)
        assert chunks[-1].error is not None
        assert isinstance(chunks[-1].error.code, int)
        assert "error" == chunks[-1].choices[0].finish_reason
