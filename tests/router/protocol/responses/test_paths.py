"""Errors about a translated body, told about the caller's own."""

import pytest

from router.protocol.errors import ApiError, invalid
from router.protocol.responses.items import Origin
from router.protocol.responses.paths import Paths

PATHS = Paths(
    (
        Origin("instructions", "instructions"),
        Origin("input[0]", "input[0].content"),
        Origin("input[2]", "input[2]", is_call=True),
        Origin("input[3]", "input[3]", is_call=True),
        Origin("input[4]", "input[4].output"),
    ),
    (1, 3),
)


@pytest.mark.parametrize(
    ("field", "own"),
    [
        ("model", "model"),
        ("messages", "input"),
        ("messages[0].content", "instructions"),
        ("messages[1].role", "input[0].role"),
        ("messages[1].content[2].image_url.url", "input[0].content[2].image_url"),
        ("messages[1].content[2].file", "input[0].content[2]"),
        ("messages[1].content[2].file.file_data", "input[0].content[2].file_data"),
        ("messages[1].tool_calls[1].function.name", "input[3].name"),
        ("messages[2].tool_calls[0].id", "input[2].call_id"),
        ("messages[2].tool_calls[1]", "input[3]"),
        ("messages[4].tool_call_id", "input[4].call_id"),
        ("messages[4].content[0].text", "input[4].output[0].text"),
        ("tools", "tools"),
        ("tools[1].function.parameters.properties.function", "tools[3].parameters.properties.function"),
        ("tool_choice.function.name", "tool_choice.name"),
        ("response_format.json_schema.schema.type", "text.format.schema.type"),
        ("response_format.type", "text.format.type"),
        ("max_completion_tokens", "max_output_tokens"),
        ("verbosity", "text.verbosity"),
    ],
)
def test_a_field_goes_back_to_where_it_came_from(field: str, own: str) -> None:
    assert own == PATHS.back(field)


def test_an_error_keeps_everything_but_its_place() -> None:
    error = ApiError("rate_limit_exceeded", "messages: no", field="messages", retry_after_s=3, limit="n", status=418)
    error.headers = ((b"a", b"b"),)
    error.metadata["c"] = "d"
    told = PATHS.restate(error)
    assert ("input", "input: no", 418, 3, "n") == (
        told.field,
        told.message,
        told.status,
        told.retry_after_s,
        told.limit,
    )
    assert (((b"a", b"b"),), {"c": "d"}) == (told.headers, told.metadata)


def test_only_a_name_at_the_beginning_of_a_message_is_changed() -> None:
    assert "No messages: none." == PATHS.restate(ApiError("server", "No messages: none.", field="messages")).message
    assert "tools[3].name: is bad" == PATHS.restate(invalid("tools[1].function.name", "is bad")).message


def test_an_error_without_a_place_stays() -> None:
    error = ApiError("server", "No.")
    assert PATHS.restate(error) is error
