"""Anthropic's other fields to a chat's."""

from typing import Any

import pytest

from router.policy.call import Priority
from router.protocol.errors import ApiError
from tests.router.protocol.messages_api.asking import SCHEMA, TOOL, ask, sent


def test_fields_that_both_apis_have_pass_as_they_are() -> None:
    body = sent(ask(temperature=0.5, top_p=0.9, top_k=40, stream=True, seed=7))
    assert (0.5, 0.9, 40, True, 7, 64) == tuple(
        body[name] for name in ("temperature", "top_p", "top_k", "stream", "seed", "max_tokens")
    )


def test_max_tokens_may_be_left_out() -> None:
    assert ask(max_tokens=None).call.max_tokens is None


def test_fields_nobody_knows_pass_as_in_a_chat() -> None:
    assert {"a": "data:image/png;base64,AAAA"} == sent(ask(quux={"a": "data:image/png;base64,AAAA"}))["quux"]
    assert "cut:1" == sent(ask(data="cut:1"))["data"]
    assert "cut:1" == sent(ask(url="x" * 2_000, quux="cut:1"))["quux"]


def test_cache_control_is_accepted_everywhere_and_means_nothing() -> None:
    ephemeral: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
    assert [{"role": "user", "content": [{"type": "text", "text": "a"}]}] == (
        sent(ask({"role": "user", "content": [{"type": "text", "text": "a", **ephemeral}]}, **ephemeral))["messages"]
    )


@pytest.mark.parametrize(
    ("own", "chats"),
    [
        pytest.param({"stop_sequences": ["a", "b"]}, {"stop": ["a", "b"]}, id="stop sequences"),
        pytest.param({"stop_sequences": []}, {"stop": None}, id="none"),
        pytest.param({"stop_sequences": None, "stop": ["a"]}, {"stop": ["a"]}, id="null"),
        pytest.param({"context_management": {"edits": []}}, {"context_management": None}, id="context management"),
        pytest.param({"mcp_servers": []}, {"mcp_servers": None}, id="no servers"),
        pytest.param({"n": 1}, {"n": None}, id="one"),
    ],
)
def test_the_engine_gets_fields_by_the_chats_names(own: dict[str, Any], chats: dict[str, Any]) -> None:
    body = sent(ask(**own))
    assert chats == {name: body.get(name) for name in chats}


@pytest.mark.parametrize(
    ("own", "chats"),
    [
        ({"metadata": {"user_id": "u"}}, {"user": b'"u"'}),
        ({"metadata": {"user_id": None}}, {}),
        ({"metadata": {"user_id": "u"}, "user": "v"}, {"user": b'"v"'}),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, {"reasoning": b'{"max_tokens":1024}'}),
        ({"thinking": {"type": "adaptive"}}, {"reasoning": b'{"enabled":true}'}),
        ({"thinking": {"type": "disabled"}}, {"reasoning": b'{"enabled":false}'}),
        ({"output_config": {"effort": "xhigh"}}, {"verbosity": b'"xhigh"'}),
        ({"output_config": {}}, {}),
        ({"service_tier": "auto"}, {"service_tier": b'"auto"'}),
        ({"service_tier": "standard_only"}, {"service_tier": b'"default"'}),
        ({"speed": "fast"}, {"service_tier": b'"fast"'}),
        ({"speed": "standard"}, {}),
        ({"speed": "fast", "service_tier": "flex"}, {"service_tier": b'"flex"'}),
        ({"session_id": "s", "trace": {"a": "b"}}, {"session_id": b'"s"', "trace": b'{"a": "b"}'}),
    ],
)
def test_the_router_gets_fields_by_the_chats_names(own: dict[str, Any], chats: dict[str, bytes]) -> None:
    known = ask(**own).router_fields
    assert chats == {name: known[name] for name in known if name not in ("model", "max_tokens")}


def test_speed_is_urgency() -> None:
    assert (Priority.CRITICAL, Priority.NORMAL) == (ask(speed="fast").call.priority, ask().call.priority)


def test_fallbacks_are_models_to_try_next() -> None:
    assert ("b/b", "c/c") == ask(fallbacks=[{"model": "b/b"}, {"model": "c/c"}]).call.fallback_models
    assert ("b/b",) == ask(models=["b/b"]).call.fallback_models


@pytest.mark.parametrize("name", ["output_config", "output_format"])
def test_a_format_is_a_strict_schema(name: str) -> None:
    given = {"type": "json_schema", "schema": SCHEMA}
    fields: dict[str, Any] = {name: {"format": given} if name == "output_config" else given}
    request = ask(**fields)
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    assert wanted == sent(request)["response_format"]
    assert request.constraint is not None


def test_tools_are_functions() -> None:
    tool = {
        **TOOL,
        "type": "custom",
        "description": "Tells.",
        "strict": True,
        "cache_control": {"type": "ephemeral"},
        "defer_loading": False,
    }
    function = {"name": "weather", "description": "Tells.", "strict": True, "parameters": SCHEMA}
    assert [{"type": "function", "function": function}] == sent(ask(tools=[tool]))["tools"]
    plain = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
    assert [plain] == sent(ask(tools=[{**TOOL, "type": None}]))["tools"]
    assert "tools" not in sent(ask(tools=[]))


@pytest.mark.parametrize(
    ("choice", "chats"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "weather"}, {"type": "function", "function": {"name": "weather"}}),
        (None, None),
    ],
)
def test_choices_of_tools_are_the_chats(choice: Any, chats: Any) -> None:
    assert chats == sent(ask(tools=[TOOL], tool_choice=choice)).get("tool_choice")


def test_one_call_at_a_time_may_be_asked_for() -> None:
    one = {"type": "auto", "disable_parallel_tool_use": True}
    assert False is sent(ask(tools=[TOOL], tool_choice=one))["parallel_tool_calls"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"model": None}, "model"),
        ({"stop_sequences": list("abcde")}, "stop_sequences"),
        ({"stop_sequences": ["a"], "stop": "a"}, "stop_sequences"),
        ({"stop_sequences": 7}, "stop_sequences"),
        ({"fallbacks": [{"model": "b"}] * 4}, "fallbacks"),
        ({"fallbacks": [{"model": "b", "provider": {}}]}, "fallbacks[0].provider"),
        ({"fallbacks": [{}]}, "fallbacks[0].model"),
        ({"fallbacks": [{"model": "b"}], "models": ["c"]}, "fallbacks"),
        ({"fallbacks": [{"model": "b" * 300}]}, "fallbacks"),
        ({"metadata": "u"}, "metadata"),
        ({"metadata": {"user_id": 7}}, "metadata.user_id"),
        ({"metadata": {"user_id": "u" * 300}}, "metadata.user_id"),
        ({"thinking": {"type": "deep"}}, "thinking.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 0}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "adaptive"}, "reasoning": {}}, "thinking"),
        ({"output_config": {"effort": "utmost"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "yaml"}}}, "output_config.format.type"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"properties": 7}}}},
            "output_config.format.schema.properties",
        ),
        ({"output_format": {"type": "json_schema", "schema": {"type": 7}}}, "output_format.schema.type"),
        (
            {
                "output_format": {"type": "json_schema", "schema": SCHEMA},
                "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
            },
            "output_config.format",
        ),
        ({"speed": "warp"}, "speed"),
        ({"service_tier": "steerage"}, "service_tier"),
        ({"n": 2}, "n"),
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"inference_geo": "eu"}, "inference_geo"),
        ({"chat_template": "x"}, "chat_template"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"tools": [TOOL, {"type": "custom", "name": "a"}]}, "tools[1].input_schema"),
        ({"tools": [TOOL, {"name": "a b", "input_schema": SCHEMA}]}, "tools[1].name"),
        ({"tools": [{"name": 7, "input_schema": SCHEMA}]}, "tools[0].name"),
        ({"tools": [{**TOOL, "description": 7}]}, "tools[0].description"),
        ({"tools": [{**TOOL, "strict": 7}]}, "tools[0].strict"),
        ({"tools": [{"name": "a", "input_schema": {"properties": 7}}]}, "tools[0].input_schema.properties"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "other"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
    ],
)
def test_what_is_wrong_is_named_by_the_callers_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        ask(**fields)
    assert (400, field) == (refused.value.status, refused.value.field)
    assert refused.value.message.startswith(f"{field}: ")
    assert str(refused.value) == refused.value.message


def test_tools_of_servers_are_refused_by_their_type() -> None:
    with pytest.raises(ApiError, match="web_search_20250305"):
        ask(tools=[{"type": "web_search_20250305", "name": "web_search"}])
