"""`tools` and `tool_choice`."""

import json
from typing import Any

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.tools import check_tool_choice, check_tools


def tool(name: str = "f", **function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **function}}


def names(*tools: Any, limits: Limits = Limits()) -> frozenset[str]:  # noqa: B008  # frozen
    return check_tools(json.dumps(tools).encode(), limits)


def test_tools_are_known_by_their_names() -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}}
    full = tool("get_weather-2", description="d", parameters=parameters, strict=True)
    assert {"get_weather-2", "g"} == names(full, {**tool("g"), "cache_control": {"type": "ephemeral"}})
    assert frozenset() == names()


@pytest.mark.parametrize(
    ("tools", "field", "problem"),
    [
        ([5], "tools", "Expected `object`, got `int`"),
        ([{"type": "function"}], "tools[0].type", "only tools of type 'function'"),
        ([{"type": "openrouter:web_search"}], "tools[0].type", "got 'openrouter:web_search'"),
        ([tool("no spaces")], "tools[0].function.name", "must be 1 to 64 letters"),
        ([tool("x" * 65)], "tools[0].function.name", "must be 1 to 64 letters"),
        ([tool("a\n")], "tools[0].function.name", "must be 1 to 64 letters"),
        ([tool("a"), tool("a")], "tools[1].function.name", "'a' is given twice"),
        ([tool(parameters={"type": "x"})], "tools[0].function.parameters.type", "must be one or several of"),
        ([tool(parameters=[])], "tools", "Expected `object | null`, got `array`"),
    ],
)
def test_a_tool_that_templates_or_grammars_choke_on_is_refused(tools: list[Any], field: str, problem: str) -> None:
    with pytest.raises(ApiError) as caught:
        names(*tools)
    assert field == caught.value.field
    assert problem in caught.value.message


def test_tools_are_bounded_in_number_and_size() -> None:
    with pytest.raises(ApiError, match="tools: at most 1 tools, got 2"):
        names(tool("a"), tool("b"), limits=Limits(tools=1))
    with pytest.raises(ApiError, match="tools: at most 10 bytes"):
        names(tool("a"), limits=Limits(tools_bytes=10))


@pytest.mark.parametrize("choice", ["none", "auto", "required", {"type": "function", "function": {"name": "f"}}])
def test_a_choice_of_the_api_is_accepted(choice: Any) -> None:
    check_tool_choice(json.dumps(choice).encode(), frozenset({"f"}))


@pytest.mark.parametrize(
    ("choice", "field", "problem"),
    [
        ("any", "tool_choice", "must be none, auto, required or"),
        (5, "tool_choice", "Expected"),
        ({"type": "function"}, "tool_choice.type", "must be 'function'"),
        ({"type": "x", "function": {"name": "f"}}, "tool_choice.type", "must be 'function'"),
        ({"type": "function", "function": {"name": "g"}}, "tool_choice.function.name", "'g' is none of the tools"),
    ],
)
def test_other_choices_are_refused(choice: Any, field: str, problem: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_tool_choice(json.dumps(choice).encode(), frozenset({"f"}))
    assert field == caught.value.field
    assert problem in caught.value.message


def test_a_required_choice_needs_tools_to_choose_from() -> None:
    with pytest.raises(ApiError, match="tool_choice: needs tools"):
        check_tool_choice(b'"required"', frozenset())
