"""Presets into requests, and requests into presets."""

import json
from typing import Any

import msgspec
import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.presets.apply import apply, capture
from router.protocol.presets.preset import LONGEST, Api, Preset
from router.protocol.presets.reference import Reference, is_slug, reference_in

CHAT_TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
FLAT_TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
THEIR_TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object"}}
FORM = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
FLAT_FORM = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
USER = {"role": "user", "content": "hello"}


def preset(prompt: str | None = None, **config: Any) -> Preset:
    return Preset("p-1", prompt, {name: msgspec.Raw(json.dumps(value).encode()) for name, value in config.items()})


def applied(kept: Preset, api: Api = Api.CHAT, **fields: Any) -> dict[str, Any]:
    raw = json.dumps(fields).encode()
    reference = reference_in(raw)
    assert reference is not None
    body: dict[str, Any] = json.loads(apply(raw, reference, kept, api, Limits()))
    return body


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ({"model": "@preset/a-b"}, Reference("a-b", None)),
        ({"model": "m/eyes@preset/a"}, Reference("a", "m/eyes")),
        ({"model": "m/eyes", "preset": "a"}, Reference("a", "m/eyes")),
        ({"preset": "a"}, Reference("a", None)),
        ({"model": "@preset/a", "preset": "a"}, Reference("a", None)),
        ({"model": "m/eyes", "messages": "of a preset"}, None),
        ({"model": 1, "preset": None}, None),
        ({"model": "m", "preset": ""}, None),
        ({"model": "m"}, None),
    ],
)
def test_a_preset_is_named_by_the_model_or_by_a_field(body: dict[str, Any], reference: Reference | None) -> None:
    assert reference == reference_in(json.dumps(body).encode())


def test_what_is_no_json_names_no_preset() -> None:
    assert reference_in(b'{"preset":') is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"preset": "a b"}, "preset"),
        ({"preset": 1}, "preset"),
        ({"model": "@preset/"}, "model"),
        ({"model": "@preset/" + "a" * 65}, "model"),
        ({"model": "@preset/a", "preset": "b"}, "preset"),
    ],
)
def test_a_preset_that_cannot_be_is_refused_by_name(body: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        reference_in(json.dumps(body).encode())
    assert field == refused.value.field


def test_slugs_are_plain_words() -> None:
    assert is_slug("a-b_C1")
    assert not is_slug("a/b")


def test_what_the_request_says_goes_before_what_the_preset_says() -> None:
    kept = preset(model="m/eyes", temperature=0, stop=["x"], cache_enabled=True)
    body = applied(kept, model="@preset/a", messages=[USER], temperature=1, seed=None)
    assert {"model": "m/eyes", "messages": [USER], "temperature": 1, "stop": ["x"]} == body


def test_a_model_beside_the_preset_goes_before_the_presets_models() -> None:
    kept = preset(model="m/eyes", models=["m/ears"])
    assert "m/nose" == applied(kept, model="m/nose@preset/a", messages=[USER])["model"]
    assert "models" not in applied(kept, model="m/nose", preset="a", messages=[USER])
    assert ["m/ears"] == applied(kept, preset="a", messages=[USER])["models"]


def test_a_model_must_come_from_one_of_the_two() -> None:
    with pytest.raises(ApiError, match="the preset names none"):
        applied(preset(temperature=0), preset="a", messages=[USER])
    assert "model" not in applied(preset(), preset="a", models=["m/eyes"], messages=[USER])


def test_the_system_prompt_stands_first_unless_there_is_another() -> None:
    kept = preset("Be brief.", model="m")
    first = {"role": "system", "content": "Be brief."}
    assert [first, USER] == applied(kept, preset="a", messages=[USER])["messages"]
    assert [first, USER] == applied(kept, preset="a", prompt="hello")["messages"]
    own = [{"role": "developer", "content": "Be long."}, USER]
    assert own == applied(kept, preset="a", messages=own)["messages"]
    assert [first] == applied(kept, preset="a", messages=[])["messages"]
    assert "nonsense" == applied(kept, preset="a", messages="nonsense")["messages"]
    assert "Be brief." == applied(kept, Api.RESPONSES, preset="a", input="hello")["instructions"]
    assert "mine" == applied(kept, Api.MESSAGES, preset="a", system="mine", messages=[USER])["system"]


def test_tools_are_united_by_their_names() -> None:
    other = {"type": "function", "function": {"name": "g"}}
    kept = preset(model="m", tools=[CHAT_TOOL, other])
    mine = {"type": "function", "function": {"name": "f", "description": "mine"}}
    assert [mine, other] == applied(kept, preset="a", messages=[USER], tools=[mine])["tools"]
    assert "nonsense" == applied(kept, preset="a", messages=[USER], tools="nonsense")["tools"]
    flat = applied(kept, Api.RESPONSES, preset="a", input="hello", tools=[FLAT_TOOL])["tools"]
    assert [FLAT_TOOL, {"type": "function", "name": "g"}] == flat


def test_pictures_pass_unchanged() -> None:
    url = "data:image/png;base64,AAAA"
    said = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
    assert [said] == applied(preset(model="m"), preset="a", messages=[said])["messages"]


KEPT: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5,
    "stop": ["x"],
    "tools": [CHAT_TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": FORM,
}


def test_a_preset_is_written_in_the_words_of_each_api() -> None:
    responses = applied(preset(**KEPT), Api.RESPONSES, preset="a", input="hello")
    assert {
        "model": "m",
        "input": "hello",
        "max_output_tokens": 5,
        "stop": ["x"],
        "tools": [FLAT_TOOL],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": FLAT_FORM},
    } == responses
    messages = applied(preset(**KEPT), Api.MESSAGES, preset="a", messages=[USER])
    assert {
        "model": "m",
        "messages": [USER],
        "max_tokens": 5,
        "stop_sequences": ["x"],
        "tools": [THEIR_TOOL],
        "tool_choice": {"type": "tool", "name": "f"},
        "output_config": {"format": FLAT_FORM},
    } == messages


@pytest.mark.parametrize(
    ("api", "fields"),
    [
        (Api.CHAT, KEPT | {"messages": [USER]}),
        (
            Api.RESPONSES,
            {
                "model": "m",
                "input": "hello",
                "max_output_tokens": 5,
                "stop": ["x"],
                "tools": [FLAT_TOOL],
                "tool_choice": {"type": "function", "name": "f"},
                "text": {"format": FLAT_FORM},
            },
        ),
        (
            Api.MESSAGES,
            {
                "model": "m",
                "messages": [USER],
                "max_tokens": 5,
                "stop_sequences": ["x"],
                "tools": [THEIR_TOOL],
                "tool_choice": {"type": "tool", "name": "f"},
                "output_config": {"format": FLAT_FORM},
            },
        ),
    ],
)
def test_a_preset_is_made_from_a_request_of_each_api(api: Api, fields: dict[str, Any]) -> None:
    captured = capture(json.dumps({**fields, "stream": True, "user": "u", "seed": None}).encode(), api, Limits())
    assert (None, KEPT) == (captured.system_prompt, json.loads(captured.config))


@pytest.mark.parametrize("choice", ["auto", "required", "none"])
def test_words_for_tool_choice_go_there_and_back(choice: str) -> None:
    theirs = {"auto": "auto", "required": "any", "none": "none"}[choice]
    kept = preset(model="m", tool_choice=choice)
    assert choice == applied(kept, Api.RESPONSES, preset="a", input="hello")["tool_choice"]
    assert {"type": theirs} == applied(kept, Api.MESSAGES, preset="a", messages=[USER])["tool_choice"]
    raw = json.dumps({"tool_choice": {"type": theirs}}).encode()
    assert {"tool_choice": choice} == json.loads(capture(raw, Api.MESSAGES, Limits()).config)


def test_what_is_of_no_known_form_is_left_for_the_parser_to_refuse() -> None:
    kept = preset(model="m", tools=["f"], tool_choice=1, stop="x", response_format={"type": "text"})
    responses = applied(kept, Api.RESPONSES, preset="a", input="hello")
    assert (["f"], 1, {"format": {"type": "text"}}) == tuple(responses[n] for n in ("tools", "tool_choice", "text"))
    messages = applied(kept, Api.MESSAGES, preset="a", messages=[USER])
    assert (["f"], 1, ["x"]) == tuple(messages[n] for n in ("tools", "tool_choice", "stop_sequences"))
    odd = {"tools": ["f"], "tool_choice": {"type": 1}, "output_config": {"effort": "low"}}
    assert {"tools": ["f"], "tool_choice": 1} == json.loads(
        capture(json.dumps(odd).encode(), Api.MESSAGES, Limits()).config
    )
    plain = {"tools": "f", "tool_choice": "auto", "text": 1}
    assert {"tools": "f", "tool_choice": "auto"} == json.loads(
        capture(json.dumps(plain).encode(), Api.RESPONSES, Limits()).config
    )


@pytest.mark.parametrize(
    ("api", "fields", "prompt"),
    [
        (Api.CHAT, {"messages": [{"role": "system", "content": "a"}, USER]}, "a"),
        (Api.CHAT, {"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}, 1]}]}, "a"),
        (Api.CHAT, {"messages": [USER]}, None),
        (Api.CHAT, {"messages": []}, None),
        (Api.RESPONSES, {"instructions": "a"}, "a"),
        (Api.MESSAGES, {"system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\n\nb"),
        (Api.MESSAGES, {"system": []}, None),
    ],
)
def test_the_system_prompt_is_kept_apart(api: Api, fields: dict[str, Any], prompt: str | None) -> None:
    assert prompt == capture(json.dumps(fields).encode(), api, Limits()).system_prompt


def test_a_preset_is_bounded() -> None:
    with pytest.raises(ApiError, match=f"at most {LONGEST} bytes"):
        capture(json.dumps({"stop": ["a" * LONGEST]}).encode(), Api.CHAT, Limits())
