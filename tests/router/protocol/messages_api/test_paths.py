"""The caller's names for what the chat's reader complains of."""

import pytest

from router.protocol.errors import ApiError
from router.protocol.messages_api.paths import Origin, Paths

PATHS = Paths(
    [
        Origin("system"),
        Origin("messages[0]", ("messages[0].content[0].text", "messages[0].content[1].source.data")),
        Origin("messages[1]", (), ("messages[1].content[2]",)),
        Origin("messages[2].content[0]"),
    ],
    {"response_format.json_schema.schema": "output_format.schema", "stop": "stop_sequences"},
)


@pytest.mark.parametrize(
    ("chats", "own"),
    [
        ("messages", "messages"),
        ("messages[1]", "messages[0]"),
        ("messages[1].content", "messages[0].content"),
        ("messages[1].content[0].text", "messages[0].content[0].text"),
        ("messages[1].content[1].image_url.url", "messages[0].content[1].source.data"),
        ("messages[1].content[9].text", "messages[0].content"),
        ("messages[2].tool_calls[0].function.name", "messages[1].content[2].name"),
        ("messages[2].tool_calls[0].function.arguments", "messages[1].content[2].input"),
        ("messages[2].tool_calls[0].id", "messages[1].content[2].id"),
        ("messages[2].tool_calls[0]", "messages[1].content[2]"),
        ("messages[2].tool_calls[7]", "messages[1]"),
        ("messages[3].tool_call_id", "messages[2].content[0].tool_use_id"),
        ("messages[3].content", "messages[2].content[0].content"),
        ("messages[9].content", "messages[9].content"),
        ("tools[1].function.parameters.properties", "tools[1].input_schema.properties"),
        ("tools[1].function.name", "tools[1].name"),
        ("tools", "tools"),
        ("response_format.json_schema.schema.type", "output_format.schema.type"),
        ("stop", "stop_sequences"),
        ("stop[2]", "stop_sequences[2]"),
        ("stop_token_ids", "stop_token_ids"),
    ],
)
def test_fields_of_the_chat_have_the_callers_names(chats: str, own: str) -> None:
    assert own == PATHS.own(chats)


def test_errors_without_a_field_stay_as_they_are() -> None:
    error = ApiError("server", "Oh.")
    PATHS.correct(error)
    assert (None, "Oh.") == (error.field, error.message)


def test_a_message_that_does_not_begin_with_the_field_stays() -> None:
    error = ApiError("invalid_request", "Too much.", field="stop")
    PATHS.correct(error)
    assert ("stop_sequences", "Too much.") == (error.field, error.message)
