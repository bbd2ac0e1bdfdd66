import asyncio
from typing import Any

import pytest

from router.api.openapi.document import operations
from router.api.openapi.operation import Operation
from router.front.cors import CorsSettings, open_to
from router.front.ports import ALL, Message, Port, Purpose, Receive, Scope, Send, purpose_of


@pytest.mark.parametrize(
    ("path", "purpose"),
    [
        ("/v1/chat/completions", Purpose.DATA),
        ("/api/v1/chat/completions", Purpose.DATA),
        ("/api/v1/models", Purpose.DATA),
        ("/api/v1/models/author/name/endpoints", Purpose.DATA),
        ("/api/v1/key", Purpose.DATA),
        ("/api/v1/keys", Purpose.ADMIN),
        ("/api/beta/batches", Purpose.DATA),
        ("/openapi.json", Purpose.DATA),
        ("/api/v1/keys/abc", Purpose.ADMIN),
        ("/api/v1/chat%2F..", Purpose.ADMIN),
        ("/api/v1", Purpose.ADMIN),
        ("/status", Purpose.ADMIN),
        ("/", Purpose.ADMIN),
        ("/metrics", Purpose.METRICS),
        ("/readyz", Purpose.METRICS),
        ("/metrics/", Purpose.ADMIN),
        ("/v1/metrics", Purpose.ADMIN),
    ],
)
def test_every_path_has_one_purpose_and_what_is_not_named_is_for_administrators(path: str, purpose: Purpose) -> None:
    assert purpose is purpose_of(path)


@pytest.mark.parametrize(("place", "operation"), operations().items(), ids=str)
def test_routes_for_callers_are_where_callers_are_and_those_for_managers_are_not(
    place: str, operation: Operation
) -> None:
    path = place.partition(" ")[2]
    if path.startswith("/api/") and path != "/api/v1/credits":  # which is OpenRouter's among those of callers
        assert (Purpose.ADMIN if operation.key == "management" else Purpose.DATA) is purpose_of(path)
        assert purpose_of(path) is purpose_of(path.replace("/api/v1/", "/v1/", 1))


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"app"})


async def receive() -> Message:
    raise AssertionError("nobody reads")


def status(handler: Any, path: str, **headers: str) -> tuple[int, dict[bytes, bytes]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    names = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    method = "OPTIONS" if "access_control_request_method" in headers else "GET"
    asyncio.run(handler({"type": "http", "method": method, "path": path, "headers": names}, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"])


def test_a_port_knows_nothing_of_what_another_serves() -> None:
    port = Port(app, frozenset((Purpose.DATA,)), lambda: False)
    assert [200, 404, 404] == [status(port, path)[0] for path in ("/v1/models", "/metrics", "/v1/keys")]


def test_who_leaves_is_not_ready() -> None:
    is_leaving = False
    port = Port(app, ALL, lambda: is_leaving)
    assert 200 == status(port, "/readyz")[0]
    is_leaving = True
    assert [503, 200] == [status(port, path)[0] for path in ("/readyz", "/healthz")]


def test_closed_costs_nothing() -> None:
    assert open_to(app, CorsSettings()) is app


def test_an_origin_is_let_in_by_name_and_to_inference_alone() -> None:
    handler = open_to(app, CorsSettings(origins=("https://a.example",)))
    asked = {"origin": "https://a.example", "access_control_request_method": "POST"}
    found, headers = status(handler, "/v1/chat/completions", **asked)
    assert (200, b"https://a.example") == (found, headers[b"access-control-allow-origin"])
    assert b"access-control-allow-credentials" not in headers
    assert 400 == status(handler, "/v1/chat/completions", **{**asked, "origin": "https://b.example"})[0]
    assert b"access-control-allow-origin" not in status(handler, "/v1/keys", **asked)[1]


def test_everybody_is_let_in_without_credentials() -> None:
    handler = open_to(app, CorsSettings(origins=("*",)))
    _, headers = status(handler, "/v1/models", origin="https://any.example", cookie="a=b")
    assert b"*" == headers[b"access-control-allow-origin"]
    assert b"access-control-allow-credentials" not in headers
