"""Errors in place of an answer, as both official clients read them."""

import json

import httpx
import openai
import pytest
from openrouter.errors import BadRequestResponseErrorData

from router.protocol.errors import ApiError, invalid
from router.protocol.responses.errors import render_error


def test_an_error_is_what_both_clients_expect() -> None:
    body = json.loads(render_error(invalid("input[2]", "is bad"), "gen-1"))
    known = BadRequestResponseErrorData.model_validate(body)
    assert (400, "input[2]: is bad") == (known.error.code, known.error.message)
    assert "invalid_request" == body["error"]["metadata"]["error_type"] == body["error_type"]
    assert "gen-1" == body["error"]["metadata"]["generation_id"]
    response = httpx.Response(400, json=body, request=httpx.Request("POST", "http://a/v1/responses"))
    error = openai.OpenAI(api_key="k", base_url="http://a")._make_status_error_from_response(response)
    assert isinstance(error, openai.BadRequestError)
    assert ("input[2]", "invalid_request_error") == (error.param, error.type)


@pytest.mark.parametrize(
    ("error_type", "kind"),
    [
        ("authentication", "authentication_error"),
        ("rate_limit_exceeded", "rate_limit_error"),
        ("payload_too_large", "invalid_request_error"),
        ("provider_overloaded", "server_error"),
    ],
)
def test_the_type_goes_by_the_status(error_type: str, kind: str) -> None:
    assert kind == json.loads(render_error(ApiError(error_type, "No."), "gen-1"))["error"]["type"]


def test_how_it_was_routed_stands_beside_the_error() -> None:
    error = ApiError("provider_unavailable", "No.")
    assert "openrouter_metadata" not in json.loads(render_error(error, "gen-1"))
    error.routing = {"attempt": 2}
    assert {"attempt": 2} == json.loads(render_error(error, "gen-1"))["openrouter_metadata"]
