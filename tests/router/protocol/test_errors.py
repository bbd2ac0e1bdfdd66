"""The shape of errors."""

import json

import pytest

from router.protocol.errors import STATUS_OF, ApiError, error_object, invalid, render


def test_an_error_has_an_integer_code_a_message_and_its_type() -> None:
    error = ApiError("rate_limit_exceeded", "Slow down", metadata={"raw": "x"}, retry_after_s=1.5)
    assert {
        "error": {
            "code": 429,
            "message": "Slow down",
            "metadata": {"error_type": "rate_limit_exceeded", "raw": "x", "retry_after": 1.5, "generation_id": "gen-1"},
        }
    } == json.loads(render(error, generation_id="gen-1"))


def test_an_invalid_field_is_named_in_message_and_metadata() -> None:
    error = invalid("temperature", "must be at most 2")
    assert "ApiError(400 invalid_request temperature: temperature: must be at most 2)" == repr(error)
    assert {
        "code": 400,
        "message": "temperature: must be at most 2",
        "metadata": {"error_type": "invalid_request", "field": "temperature"},
    } == error_object(error)


def test_the_table_gives_the_status_unless_told_otherwise() -> None:
    assert 503 == ApiError("provider_overloaded", "x").status
    assert 529 == ApiError("provider_overloaded", "x", status=529).status
    assert all(400 <= status < 600 for status in STATUS_OF.values())


def test_an_unknown_type_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        ApiError("nonsense", "x")


def test_what_is_available_stands_where_clients_look_for_it() -> None:
    error = ApiError("not_found", "none", metadata={"availability": {"code": "no_endpoints"}})
    told = json.loads(render(error))["error"]
    assert {"code": "no_endpoints"} == told["availability"] == told["metadata"]["availability"]
