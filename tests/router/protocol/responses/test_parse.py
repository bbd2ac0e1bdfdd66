"""Bodies of `/responses` as requests: what engines get of them, and what is wrong with them in the caller's words."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Pool
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from router.protocol.request import Request, parse_chat
from router.protocol.responses.parse import parse_responses
from router.protocol.responses.skin import ResponsesSkin
from tests.router.protocol import pictures
from tests.router.protocol.responses.said import MODEL, asked, whole

POOL = Pool("p", "author/slug", "served")
PNG = json.loads(pictures.data_url(pictures.png(28, 28)))
IMAGE = {"type": "input_image", "image_url": PNG}
FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
OTHER = {"type": "function", "name": "g"}
CHAT_FUNCTION = {"type": "function", "function": {k: v for k, v in FUNCTION.items() if k != "type"}}
CHAT_OTHER = {"type": "function", "function": {"name": "g"}}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_aaaa",
    "name": "f",
    "arguments": "{}",
    "status": "completed",
}
RESULT = {"type": "function_call_output", "call_id": "call_aaaa", "output": "4"}


def engine(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.upstream_body(POOL, generation_id="gen-1"))
    return body


def messages(given: Any, **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = engine(asked(input=given, **fields))["messages"]
    return found


def refused(body: dict[str, Any] | None = None, **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        asked(body, **fields)
    assert error.value.message.startswith(f"{error.value.field}: ")
    return error.value


def test_a_text_is_what_a_user_says() -> None:
    request = asked(input="Hello?", stream=True)
    assert [{"role": "user", "content": "Hello?"}] == engine(request)["messages"]
    assert isinstance(request.skin, ResponsesSkin)
    assert request.call.stream


def test_instructions_come_first() -> None:
    assert [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}] == messages(
        [{"role": "user", "content": "Hi"}], instructions="Be brief."
    )


def test_a_conversation_of_items_is_one_of_messages() -> None:
    given = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": PNG}],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "A red one.", "annotations": []},
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {"role": "user", "content": "And?"},
    ]
    developer, user, assistant, last = messages(given)
    assert {"role": "system", "content": "Be brief."} == developer | {"role": "system"}
    assert {"type": "text", "text": "What?"} == user["content"][0]
    assert {"url": PNG} == user["content"][1]["image_url"]
    assert ["A red one.", "No."] == [part["text"] for part in assistant["content"]]
    assert {"role": "user", "content": "And?"} == last


def test_calls_and_their_results_are_a_chats() -> None:
    second = {**CALL, "call_id": "call_bbbb", "name": "g"}
    given = [
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "Let me see."},
        CALL,
        second,
        RESULT,
        {**RESULT, "call_id": "call_bbbb", "output": [{"type": "input_text", "text": "5"}]},
    ]
    _, assistant, first, last = messages(given, tools=[FUNCTION, OTHER])
    assert "Let me see." == assistant["content"]
    assert ["f", "g"] == [call["function"]["name"] for call in assistant["tool_calls"]]
    assert [call["id"] for call in assistant["tool_calls"]] == [first["tool_call_id"], last["tool_call_id"]]
    assert ["4", "5"] == [first["content"], last["content"]]


def test_an_assistant_may_have_said_nothing() -> None:
    assert ["user"] == [
        each["role"] for each in messages([{"role": "assistant", "content": None}, {"role": "user", "content": "a"}])
    ]


def test_other_media_are_a_chats() -> None:
    audio = {"data": "AAAA", "format": "wav"}
    parts = [
        {"type": "input_audio", "input_audio": audio},
        {"type": "input_video", "video_url": "https://a.example/a.mp4"},
        {"type": "input_image", "image_url": PNG, "detail": "high", "file_id": None},
    ]
    (user,) = messages([{"role": "user", "content": parts}])
    heard, seen, image = user["content"]
    assert {"type": "input_audio", "input_audio": audio} == heard
    assert {"type": "video_url", "video_url": {"url": "https://a.example/a.mp4"}} == seen
    assert {"url": PNG, "detail": "high"} == image["image_url"]


def test_files_are_read_as_a_chats() -> None:
    file = {"type": "input_file", "file_data": "data:text/plain;base64,YQ==", "filename": "a.txt"}
    (user,) = messages([{"role": "user", "content": [file]}])
    assert ['<file name="a.txt">', "a", "</file>"] == [part["text"] for part in user["content"]]
    file = {"type": "input_file", "file_url": "https://a.example/a.pdf"}
    with pytest.raises(Unfetched) as missing:
        asked(input=[{"role": "user", "content": [file]}])
    assert [("https://a.example/a.pdf", "input[0].content[0]")] == [(f.url, f.field) for f in missing.value.files]


def test_what_the_file_parser_made_of_a_file_comes_back_with_the_answer() -> None:
    pdf = b"%PDF-1.7"
    content = [{"type": "text", "text": "It says a."}]
    file = {"hash": hashlib.sha256(pdf).hexdigest(), "name": "a.pdf", "content": content}
    said = whole({"content": "a", "annotations": [{"type": "file", "file": file}]})["output"][0]["content"]
    said += [
        {"type": "output_text", "text": "b"},
        {"type": "output_text", "text": "c", "annotations": [{"type": "url_citation"}]},
    ]
    data = f"data:application/pdf;base64,{base64.b64encode(pdf).decode()}"
    user, assistant, _ = messages(
        [
            {"role": "user", "content": [{"type": "input_file", "file_data": data}]},
            {"role": "assistant", "content": said},
            {"role": "user", "content": "a"},
        ]
    )
    assert "It says a." in [part["text"] for part in user["content"]]
    assert ["a", "b", "c"] == [part["text"] for part in assistant["content"]]


def test_images_by_their_urls_are_fetched() -> None:
    body = {
        "model": MODEL,
        "input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://a.example/"}]}],
    }
    raw = json.dumps(body).encode()
    with pytest.raises(Unfetched) as missing:
        parse_responses(raw, Limits())
    assert {"https://a.example/": "input[0].content[0].image_url"} == missing.value.fields
    fetched = {"https://a.example/": pictures.data_url(pictures.png(28, 28))}
    (user,) = engine(parse_responses(raw, Limits(), fetched=fetched))["messages"]
    assert PNG == user["content"][0]["image_url"]["url"]


def test_texts_that_look_like_images_stay_texts() -> None:
    image = {
        "role": "user",
        "content": [{"type": "input_image", "image_url": PNG}, {"type": "input_text", "text": "data:image/#0"}],
    }
    escaped = json.dumps(
        {"model": MODEL, "input": [image], "instructions": "XX", "data:image/#0": 1, "user": "data:image/#0"}
    )
    raw = escaped.replace('"XX"', '"data:image\\/#7"').encode()
    request = parse_responses(raw, Limits())
    system, user = engine(request)["messages"]
    assert ("data:image/#7", "data:image/#0") == (system["content"], user["content"][1]["text"])
    assert request.skin is not None
    answer = json.loads(request.skin.whole(b'{"id":"gen-1","choices":[]}'))
    assert ("data:image/#7", "data:image/#0") == (answer["instructions"], answer["user"])


def test_a_long_text_that_looks_like_an_image_is_not_repeated() -> None:
    raw = json.dumps({"model": MODEL, "input": "a", "user": f"data:image/{'a' * 999}"}).encode()
    skin = parse_responses(raw, replace(Limits(), text_bytes=900)).skin
    assert skin is not None
    assert "data:image/#0" == json.loads(skin.whole(b'{"id":"gen-1","choices":[]}'))["user"]


def test_functions_stand_one_level_deeper_in_a_chat() -> None:
    body = engine(asked(tools=[FUNCTION, OTHER], tool_choice={"type": "function", "name": "g"}))
    assert [CHAT_FUNCTION, CHAT_OTHER] == body["tools"]
    assert {"type": "function", "function": {"name": "g"}} == body["tool_choice"]


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_a_choice_by_name_is_a_chats(choice: str) -> None:
    assert choice == engine(asked(tools=[OTHER], tool_choice=choice))["tool_choice"]


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_only_tools_that_are_allowed_are_in_the_prompt(mode: str) -> None:
    allowed = {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": "g"}]}
    request = asked(tools=[FUNCTION, OTHER], tool_choice=allowed)
    assert ([CHAT_OTHER], mode) == (engine(request)["tools"], engine(request)["tool_choice"])
    assert (
        allowed == whole({"content": "a"}, fields={"tools": [FUNCTION, OTHER], "tool_choice": allowed})["tool_choice"]
    )


def test_no_tools_are_none() -> None:
    assert "tools" not in engine(asked(tools=[], tool_choice="auto"))


def test_a_schema_stands_one_level_deeper_in_a_chat() -> None:
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True}
    body = engine(asked(text={"format": {"type": "json_schema", "description": None, **schema}, "verbosity": "low"}))
    assert {"type": "json_schema", "json_schema": schema} == body["response_format"]


def test_other_formats_are_passed_as_they_are() -> None:
    assert {"type": "json_object"} == engine(asked(text={"format": {"type": "json_object"}}))["response_format"]
    grammar = {"type": "grammar", "grammar": 'root ::= "a"'}
    assert {"grammar": 'root ::= "a"'} == engine(asked(text={"format": grammar}))["structured_outputs"]
    assert "response_format" not in engine(asked(text={"format": {"type": "text"}}))
    assert "response_format" not in engine(asked(text={"format": None, "verbosity": None}))


def test_parameters_are_a_chats() -> None:
    given = {"temperature": 0.5, "top_p": 0.5, "top_k": 3, "min_p": 0.1, "seed": 1, "stop": ["x"], "safe_prompt": True}
    body = engine(asked(given, max_output_tokens=9, presence_penalty=None))
    assert given == {key: body[key] for key in given}
    assert 9 == body["max_tokens"]
    assert "presence_penalty" not in body


def test_what_only_the_router_reads_is_there_for_it() -> None:
    fields = {
        "provider": {"only": ["p"]},
        "models": ["b"],
        "metadata": {"a": "b"},
        "session_id": "s",
        "max_tool_calls": 3,
    }
    request = asked(fields, store=False, background=False, previous_response_id=None, prompt_cache_retention="24h")
    assert fields == {name: json.loads(request.router_fields[name]) for name in fields}
    assert not {"store", "prompt_cache_retention"} & engine(request).keys()


def test_log_probabilities_come_where_they_are_asked_for() -> None:
    body = engine(asked(include=["message.output_text.logprobs", "reasoning.encrypted_content"], top_logprobs=2))
    assert (True, 2) == (body["logprobs"], body["top_logprobs"])
    body = engine(asked(include=["message.output_text.logprobs"]))
    assert body["logprobs"] is True
    assert not {"logprobs", "top_logprobs"} & engine(asked(top_logprobs=2)).keys()


@pytest.mark.parametrize(
    ("fields", "plugins"),
    [
        ({}, None),
        ({"plugins": [{"id": "response-healing"}]}, [{"id": "response-healing"}]),
        ({"truncation": "auto"}, [{"id": "context-compression", "enabled": True}]),
        ({"truncation": "disabled", "plugins": []}, [{"id": "context-compression", "enabled": False}]),
        (
            {"truncation": "auto", "plugins": [{"id": "response-healing"}]},
            [{"id": "response-healing"}, {"id": "context-compression", "enabled": True}],
        ),
        (
            {"truncation": "auto", "plugins": [{"id": "context-compression", "enabled": False}]},
            [{"id": "context-compression", "enabled": False}],
        ),
    ],
)
def test_truncation_is_a_plugin(fields: dict[str, Any], plugins: object) -> None:
    found = asked(fields).router_fields.get("plugins")
    assert plugins == (None if found is None else json.loads(found))


def said(*parts: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"input": [{"role": role, "content": list(parts)}]}


TEXT = {"type": "input_text", "text": "a"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"input": []}, "input"),
        ({"input": [3]}, "input"),
        ({"input": [{"type": "reasoning"}]}, "input"),
        ({"input": [{"content": "a"}]}, "input[0].type"),
        ({"input": [{"type": "web_search_call"}]}, "input[0].type"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"role": "tool", "content": "a"}]}, "input[0].role"),
        ({"input": [{"role": 3, "content": "a"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": 3}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": []}]}, "input[0].content"),
        (said(TEXT, {"type": "novel"}), "input[0].content[1].type"),
        (said(TEXT, {"type": "input_text"}), "input[0].content[1].text"),
        (said({"type": "refusal"}), "input[0].content[0].refusal"),
        (said(TEXT, {"type": "input_image"}), "input[0].content[1].image_url"),
        (said(TEXT, {"type": "input_image", "image_url": {"url": PNG}}), "input[0].content[1].image_url"),
        (
            said(TEXT, {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}),
            "input[0].content[1].image_url",
        ),
        (said(TEXT, {"type": "input_image", "image_url": "ftp://a"}), "input[0].content[1].image_url"),
        (said(TEXT, {"type": "input_image", "file_id": "file-1"}), "input[0].content[1].file_id"),
        (said(TEXT, {"type": "input_image", "image_url": PNG, "detail": 3}), "input[0].content[1].detail"),
        (said({"type": "input_image", "image_url": PNG}, role="system"), "input[0].content[0].type"),
        (said({"type": "input_file", "file_id": "file-1"}), "input[0].content[0].file_id"),
        (said({"type": "input_file"}), "input[0].content[0]"),
        (said({"type": "input_file", "file_data": "a", "file_url": "b"}), "input[0].content[0]"),
        (said({"type": "input_file", "file_data": 3}), "input[0].content[0].file_data"),
        (said({"type": "input_file", "file_data": "data:"}), "input[0].content[0].file_data"),
        (said({"type": "input_file", "file_url": "file:///etc/passwd"}), "input[0].content[0].file_url"),
        (said({"type": "input_file", "file_data": "a", "filename": 3}), "input[0].content[0].filename"),
        (said({"type": "input_audio"}), "input[0].content[0].input_audio"),
        (said({"type": "input_video", "video_url": {}}), "input[0].content[0].video_url"),
        (
            said({"type": "output_text", "text": "a", "annotations": 3}, role="assistant"),
            "input[0].content[0].annotations",
        ),
        ({"input": [{"role": "user", "content": "a"}, CALL]}, "input[1]"),
        ({"input": [CALL, {**CALL, "call_id": "b", "name": "a b"}, RESULT]}, "input[1].name"),
        ({"input": [{"role": "assistant", "content": "a"}, CALL, CALL, RESULT]}, "input[2].call_id"),
        ({"input": [{**CALL, "arguments": {}}]}, "input[0].arguments"),
        ({"input": [{**CALL, "call_id": None}]}, "input[0].call_id"),
        ({"input": [RESULT]}, "input[0].call_id"),
        ({"input": [CALL, {**RESULT, "output": None}]}, "input[1].output"),
        (
            {"input": [CALL, {**RESULT, "output": [TEXT, {"type": "input_image", "image_url": PNG}]}]},
            "input[1].output[1].type",
        ),
        ({"instructions": ["a"]}, "instructions"),
        ({"store": True}, "store"),
        ({"store": "no"}, "store"),
        ({"background": True}, "background"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"messages": []}, "messages"),
        ({"max_tokens": 3}, "max_tokens"),
        ({"response_format": {"type": "text"}}, "response_format"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"n": 2}, "n"),
        ({"include": ["novel"]}, "include[0]"),
        ({"include": "all"}, "include"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"truncation": "some"}, "truncation"),
        ({"truncation": "auto", "plugins": 3}, "plugins"),
        ({"plugins": 3}, "plugins"),
        ({"text": 3}, "text"),
        ({"text": {"format": 3}}, "text.format"),
        ({"text": {"format": {}}}, "text.format.type"),
        ({"text": {"format": {"type": "novel"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": 3}}}, "text.format.strict"),
        ({"text": {"verbosity": 3}}, "text.verbosity"),
        ({"tools": 3}, "tools"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tools": [OTHER, {"type": "web_search"}]}, "tools[1].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "function", "name": "a b"}]}, "tools[0].name"),
        ({"tools": [{**OTHER, "description": 3}]}, "tools[0].description"),
        ({"tools": [{**OTHER, "parameters": 3}]}, "tools[0].parameters"),
        ({"tools": [{**OTHER, "strict": 3}]}, "tools[0].strict"),
        ({"tools": [OTHER, OTHER]}, "tools[1].name"),
        ({"tools": [OTHER, {**FUNCTION, "parameters": {"type": 3}}]}, "tools[1].parameters.type"),
        ({"tool_choice": "some"}, "tool_choice"),
        ({"tool_choice": 3}, "tool_choice"),
        ({"tool_choice": {"type": "web_search_preview"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"tools": [OTHER], "tool_choice": {"type": "function", "name": "f"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "some", "tools": []}}, "tool_choice.mode"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto"}}, "tool_choice.tools"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}, "tool_choice.tools"),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}},
            "tool_choice.tools[0].type",
        ),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [OTHER]}},
            "tool_choice.tools[0].name",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place_in_the_callers_body(fields: dict[str, Any], field: str) -> None:
    error = refused(fields)
    assert (field, 400) == (error.field, error.status)


def test_a_tool_is_named_by_its_own_place_when_others_are_left_out() -> None:
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "a b"}]}
    error = refused(tools=[OTHER, {"type": "function", "name": "a b"}], tool_choice=allowed)
    assert "tools[1].name" == error.field


def test_refusals_say_what_to_do() -> None:
    assert "in input" in refused(previous_response_id="resp_1").message
    assert "here it is max_output_tokens" in refused(max_tokens=3).message
    assert "'web_search'" in refused(tools=[{"type": "web_search"}]).message
    assert "no function_call_output answers" in refused(input=[CALL]).message
    assert "no function_call right before" in refused(input=[RESULT]).message


def test_errors_without_a_field_stay_as_they_are() -> None:
    with pytest.raises(ApiError) as error:
        parse_responses(json.dumps({"model": MODEL, "input": "a" * 100}).encode(), replace(Limits(), body_bytes=90))
    assert 413 == error.value.status
    assert error.value.field is None
    with pytest.raises(ApiError) as error:
        parse_responses(b'{"model":"a","model":"b"}', Limits())
    assert "model" == error.value.field


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ApiError) as error:
        parse_responses(b'{"input":"a"}', Limits())
    assert "model" == error.value.field


def test_the_translation_may_be_longer_than_the_body() -> None:
    raw = b'{"model":"m","input":"a"}'
    assert [{"role": "user", "content": "a"}] == engine(parse_responses(raw, replace(Limits(), body_bytes=len(raw))))[
        "messages"
    ]
    assert parse_responses(raw, replace(Limits(), text_bytes=len(raw))).skin is not None


def test_a_body_over_several_lines_is_one_line_in_the_stream() -> None:
    raw = json.dumps({"model": MODEL, "input": "a", "tools": [FUNCTION], "instructions": "a\nb"}, indent=2).encode()
    skin = parse_responses(raw, Limits()).skin
    assert skin is not None
    created = skin.feed(b'data: {"id":"gen-1","choices":[]}\n\n').split(b"\n\n")[0]
    assert 2 == len(created.split(b"\n"))
    assert "a\nb" == json.loads(created.split(b"\n")[1][6:])["response"]["instructions"]


ids = st.sampled_from("ab")
roles = st.sampled_from(["user", "assistant", "system", "developer"])
words = st.text(max_size=4)
parts = st.one_of(
    st.builds(lambda kind, text: {"type": kind, "text": text}, st.sampled_from(["input_text", "output_text"]), words),
    st.builds(lambda text: {"type": "refusal", "refusal": text}, words),
    st.just({"type": "input_image", "image_url": PNG}),
    st.just({"type": "novel"}),
)
items = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text}, roles, words | st.lists(parts, max_size=3)),
    st.builds(
        lambda id_, name: {**CALL, "call_id": id_, "name": name}, st.sampled_from("ab"), st.sampled_from(["f", "a b"])
    ),
    st.builds(lambda id_, text: {**RESULT, "call_id": id_, "output": text}, ids, words),
    st.just({"type": "reasoning"}),
)


def unnamed(messages_: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the names of images, which callers may not send."""
    for message in messages_:
        for part in message["content"] if isinstance(message.get("content"), list) else ():
            part.pop("uuid", None)
    return messages_


def outcome(given_: list[dict[str, Any]], instructions: str | None) -> Request | ApiError:
    try:
        return asked(input=given_, instructions=instructions)
    except ApiError as error:
        return error


@given(st.lists(items, max_size=5), st.none() | words)
def test_every_body_is_a_chat_or_is_refused_at_a_place_that_it_has(
    given_: list[dict[str, Any]], instructions: str | None
) -> None:
    found = outcome(given_, instructions)
    if isinstance(found, ApiError):
        assert found.field is not None
        place = re.fullmatch(r"input(?:\[(\d+)\].*)?", found.field)
        assert place is not None
        assert int(place[1] or -1) < len(given_)
        return
    sent = unnamed(engine(found)["messages"])
    chat = parse_chat(json.dumps({"model": MODEL, "messages": sent}).encode(), Limits())
    assert sent == unnamed(engine(chat)["messages"])
