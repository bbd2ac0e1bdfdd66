"""Errors in Anthropic's shape."""

import json

import pytest

from router.protocol.errors import STATUS_OF, ApiError, invalid
from router.protocol.messages_api.errors import render_error, type_of

TYPES = {
    "authentication": "authentication_error",
    "permission_denied": "permission_error",
    "payment_required": "billing_error",
    "not_found": "not_found_error",
    "image_not_found": "not_found_error",
    "rate_limit_exceeded": "rate_limit_error",
    "provider_overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "server": "api_error",
    "unmapped": "api_error",
    "provider_unavailable": "api_error",
}


@pytest.mark.parametrize("error_type", STATUS_OF)
def test_every_error_has_a_type_of_anthropics(error_type: str) -> None:
    assert TYPES.get(error_type, "invalid_request_error") == type_of(error_type)


def test_errors_nobody_knows_go_by_their_status() -> None:
    assert ("api_error", "invalid_request_error") == (type_of("new"), type_of("new", 418))


def test_an_error_says_what_which_and_where() -> None:
    assert {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "n: is wrong", "error_type": "invalid_request"},
        "request_id": "gen-1",
        "metadata": {"error_type": "invalid_request", "field": "n"},
    } == json.loads(render_error(invalid("n", "is wrong"), "gen-1"))


def test_an_error_tells_how_it_was_routed() -> None:
    error = ApiError("provider_overloaded", "Later.", retry_after_s=2.0)
    error.routing = {"attempt": 1}
    body = json.loads(render_error(error, "gen-1"))
    assert ({"attempt": 1}, "overloaded_error") == (body["openrouter_metadata"], body["error"]["type"])
