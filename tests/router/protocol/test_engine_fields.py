"""Every field that vLLM obeys is known here: read, refused by name, or known to be harmless.

Runs where vLLM is installed. A version with a new field makes it fail, until somebody has decided what becomes of it.
"""

import dataclasses
from importlib.util import find_spec

import pytest

from router.protocol.fields import CHAT, COMPLETIONS
from router.protocol.forbidden import MESSAGE_FIELDS, refusal

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

from vllm.entrypoints import chat_utils
from vllm.entrypoints.generate.base import protocol as base
from vllm.entrypoints.openai.chat_completion import protocol as chat
from vllm.entrypoints.openai.completion import protocol as completion
from vllm.sampling_params import StructuredOutputsParams

HARMLESS = {
    "suffix",  # of completions: vLLM refuses it
    "length_penalty",  # only beam search looks at it, which is refused
}


def unknown(fields: set[str], table: object) -> set[str]:
    assert isinstance(table, dict)
    return {name for name in fields if name not in table and refusal(name) is None and name not in HARMLESS}


def test_of_chats() -> None:
    assert set() == unknown(set(chat.ChatCompletionRequest.model_fields), CHAT)


def test_of_completions() -> None:
    assert set() == unknown(set(completion.CompletionRequest.model_fields), COMPLETIONS)


def test_a_field_that_one_route_reads_is_not_let_through_on_the_other() -> None:
    """Unknown ones pass untouched, so the table of each route must have what vLLM obeys there."""
    for model, table in ((chat.ChatCompletionRequest, CHAT), (completion.CompletionRequest, COMPLETIONS)):
        obeyed = set(model.model_fields)
        others = (CHAT.keys() | COMPLETIONS.keys()) - table.keys()
        assert set() == {name for name in others & obeyed if refusal(name) is None}


# What follows is within fields that go to the engine as they came, so every field there is one that vLLM reads. Equal
# and not a subset: a new one must be looked at, because nothing here would refuse it.


def test_within_a_response_format() -> None:
    assert {"type", "json_schema"} == set(base.ResponseFormat.model_fields)
    assert {"name", "description", "json_schema", "strict"} == set(base.JsonSchemaResponseFormat.model_fields)


def test_within_tools() -> None:
    assert {"type", "function", "defer_loading"} == set(chat.ChatCompletionToolsParam.model_fields)
    function = {"name", "description", "parameters", "strict", "defer_loading"}
    assert function == set(base.FunctionDefinition.model_fields)
    assert {"type", "function"} == set(chat.ChatCompletionNamedToolChoiceParam.model_fields)
    assert {"name"} == set(chat.ChatCompletionNamedFunction.model_fields)


def test_of_structured_outputs_the_router_writes_the_grammar_and_nothing_else() -> None:
    assert {
        "json",
        "regex",
        "choice",
        "grammar",
        "json_object",
        "disable_any_whitespace",
        "disable_additional_properties",
        "whitespace_pattern",
        "structural_tag",
        "_backend",
        "_backend_was_auto",
    } == {field.name for field in dataclasses.fields(StructuredOutputsParams)}


def test_stream_options_are_the_routers_own() -> None:
    assert {"include_usage", "continuous_usage_stats"} == set(base.StreamOptions.model_fields)
    assert not CHAT["stream_options"].is_forwarded
    assert not COMPLETIONS["stream_options"].is_forwarded


def test_of_messages_what_would_reach_a_template_is_refused() -> None:
    obeyed = set(chat_utils.CustomChatCompletionMessageParam.__annotations__)
    read = {"role", "content", "name", "tool_call_id", "tool_calls", "reasoning"}
    assert set() == obeyed - read - MESSAGE_FIELDS
