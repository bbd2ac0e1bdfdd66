"""Conversations as the model reads them. The judge is mistral-common, with a tokenizer of version 7, cut small."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from PIL import Image

from router.protocol.body import split
from router.protocol.contents import write
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Picture
from router.protocol.mistral import is_prefill, normalise
from router.protocol.read_messages import read_messages
from router.protocol.render import Item, render, render_prompt
from router.protocol.tokens import image_tokens
from router.protocol.tool_ids import ToolIds
from tests.router.protocol.conversations import assistant, image, system, text, tool, user
from tests.router.protocol.test_mistral_accepts import CONTENTS, ROUNDS, tokenizer

__all__ = ["tokenizer"]


def picture(width: int, height: int) -> dict[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, width)).save(file, "PNG")
    return image(file.getvalue())


def rendered(
    messages: list[dict[str, Any]], tools: Any = None, *, is_ascii: bool = False
) -> tuple[list[Item], list[dict[str, Any]], bool]:
    """Ours, the messages that the engine gets, and whether it goes on with the last."""
    body = split(json.dumps({"messages": messages}, ensure_ascii=is_ascii).encode(), Limits())
    read = read_messages(body.fields["messages"], body, Limits())
    conversation = normalise(read.items, ToolIds())
    raw_tools = None if tools is None else json.dumps(tools, ensure_ascii=is_ascii).encode()
    items = render(conversation, raw_tools, read.media)
    raw = read.raw if conversation is read.items else write(conversation)
    engine = json.loads(b"".join(body.restore(raw)))
    return items, engine, is_prefill(conversation)


def judged(tokenizer: MistralTokenizer, messages: list[dict[str, Any]], tools: Any, is_continued: bool) -> list[Any]:
    """What mistral-common makes of them: bytes, and for each image its number of tokens."""
    request: Any = ChatCompletionRequest.from_openai(
        messages=messages, tools=tools, continue_final_message=is_continued
    )
    inner: Any = tokenizer.instruct_tokenizer.tokenizer
    items: list[Any] = [b""]
    for token in tokenizer.encode_chat_completion(request).tokens:
        piece = inner.id_to_byte_piece(token, SpecialTokenPolicy.KEEP)
        if piece in (b"[IMG]", b"[IMG_BREAK]", b"[IMG_END]"):
            if isinstance(items[-1], bytes):
                items.append(0)
            items[-1] += 1
            if piece == b"[IMG_END]":
                items.append(b"")
        else:
            items[-1] += piece
    return items


def same(tokenizer: MistralTokenizer, messages: list[dict[str, Any]], tools: Any = None, **how: bool) -> list[Any]:
    """Ours, which mistral-common's is equal to; images by their tokens."""
    items, engine, is_continued = rendered(messages, tools, **how)
    ours = [item.tokens if isinstance(item, Picture) else item for item in items]
    assert judged(tokenizer, engine, tools, is_continued) == ours
    return ours


def test_a_conversation_is_written_with_its_control_tokens(tokenizer: MistralTokenizer) -> None:
    turns = [system("S"), user('1 "é"\n'), assistant("2  "), user("3")]
    written = '<s>[SYSTEM_PROMPT]S[/SYSTEM_PROMPT][INST]1 "é"\n[/INST]2</s>[INST]3[/INST]'
    assert [written.encode()] == same(tokenizer, turns) == same(tokenizer, turns, is_ascii=True)


def test_an_answer_that_is_to_be_gone_on_with_has_no_end(tokenizer: MistralTokenizer) -> None:
    assert [b"<s>[INST]1[/INST]I am"] == same(tokenizer, [user("1"), assistant("I am ")])


def test_texts_of_a_message_are_joined_and_empty_ones_dropped(tokenizer: MistralTokenizer) -> None:
    parts = [text("a"), text(""), text("b\\")]
    joined = [system(parts), user(parts), assistant(parts), user([text("")]), assistant("c"), user("")]
    assert b"[INST]a\n\nb\\[/INST]a\n\nb\\</s>[INST][/INST]" in same(tokenizer, joined)[0]


def test_images_stand_in_their_places(tokenizer: MistralTokenizer) -> None:
    one, other = picture(60, 30), picture(28, 90)
    sizes = image_tokens(60, 30), image_tokens(28, 90)
    content = [text("a"), one, text("b"), text("c"), other, text("d")]
    assert [b"<s>[INST]a", sizes[0], b"b\n\nc", sizes[1], b"d[/INST]"] == same(tokenizer, [user(content)])
    pairs = [user([one, other]), assistant("x"), user([one])]
    assert [b"<s>[INST]", *sizes[:1], b"", sizes[1], b"[/INST]x</s>[INST]", sizes[0], b"[/INST]"] == same(
        tokenizer, pairs
    )


def test_an_image_behind_its_text_stands_before_it(tokenizer: MistralTokenizer) -> None:
    one = picture(60, 30)
    size = image_tokens(60, 30)
    assert [b"<s>[INST]", size, b"a\n\nb[/INST]"] == same(tokenizer, [user([text("a"), text("b"), one])])
    assert [b"<s>[INST]", size, b"a", size, b"[/INST]"] == same(tokenizer, [user([one, text("a"), one])])


TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": 'Tells the "weather" in Köln.',
        "parameters": {"type": "object", "properties": {"town": {"type": "string", "enum": ["Köln", "a\nb"]}, "n": {}}},
        "strict": True,
    },
}
OTHER = {"function": {"description": None, "parameters": None, "name": "g"}, "type": "function"}


def test_tools_stand_before_the_last_user_message(tokenizer: MistralTokenizer) -> None:
    turns = [user("1"), assistant("2"), user("3")]
    for tools in ([TOOL], [TOOL, OTHER]):
        (written,) = same(tokenizer, turns, tools)
        assert same(tokenizer, turns, tools, is_ascii=True) == [written]
        assert written.startswith(b'<s>[INST]1[/INST]2</s>[AVAILABLE_TOOLS][{"type": "function", "function": {"name"')
        assert written.endswith(b"[/AVAILABLE_TOOLS][INST]3[/INST]")


@pytest.mark.parametrize(
    "arguments", ["{}", "", '{"a":[1,2.5,null],"b":{"c":"é"}}', '{"a": "\\u00e9\\n"}', "no JSON", "5", "[]", '"x"']
)
def test_calls_and_results_are_written(tokenizer: MistralTokenizer, arguments: str) -> None:
    called = assistant("I ask.", "call_1", "abcDEF123")
    called["tool_calls"][0]["function"]["arguments"] = arguments
    turns = [user("1"), called, tool("call_1", '{"t": 5}'), tool("abcDEF123", [text("a"), text("b")]), assistant("x")]
    (written,) = same(tokenizer, [*turns, user("2")], [TOOL])
    assert b"[TOOL_RESULTS]abcDEF123[TOOL_CONTENT]a\n\nb[/TOOL_RESULTS]x</s>" in written
    assert b"[INST]1[/INST]I ask.[TOOL_CALLS][{" in same(tokenizer, turns)[0]


def test_a_conversation_without_a_user_has_no_place_for_tools(tokenizer: MistralTokenizer) -> None:
    assert [b"<s>[SYSTEM_PROMPT]s[/SYSTEM_PROMPT]"] == rendered([system("s")], [TOOL])[0]


def test_a_text_that_looks_like_an_image_is_text(tokenizer: MistralTokenizer) -> None:
    lookalike = "data:image/png;base64,AAAA"
    assert [f"<s>[INST]{lookalike}[/INST]".encode()] == same(tokenizer, [user(lookalike)])
    assert [f"<s>[INST]a\n\n{lookalike}[/INST]".encode()] == same(tokenizer, [user([text("a"), text(lookalike)])])


def test_arguments_of_any_depth_are_written_in_some_way() -> None:
    for depth in (64, 65, *range(900, 1_100), 100_000):
        called = assistant(None, "abcDEF123")
        called["tool_calls"][0]["function"]["arguments"] = "[" * depth + "]" * depth
        (written,) = rendered([user("1"), called, tool("abcDEF123")])[0]
        assert isinstance(written, bytes)
        assert written.startswith(b"<s>[INST]1[/INST][TOOL_CALLS]")
        assert written.endswith(b"</s>[TOOL_RESULTS]abcDEF123[TOOL_CONTENT]r[/TOOL_RESULTS]")


def test_other_media_are_passed_over() -> None:
    parts = [
        {"type": "input_audio", "input_audio": {}, "text": {"a": "\\"}},
        text("a"),
        {"type": "video_url", "video_url": {}, "text": "b"},
    ]
    assert [b"<s>[INST]a[/INST]"] == rendered([user(parts)])[0]


def test_a_prompt_is_its_text() -> None:
    assert [b"<s>once"] == render_prompt(b"once")


def untouched(contents: Any) -> Any:
    return st.lists(
        st.tuples(contents.map(user), contents.filter(lambda said: said not in ("", [text("")])).map(assistant)),
        max_size=3,
    ).map(lambda turns: [message for turn in turns for message in turn] + [user("end")])


@given(messages=untouched(CONTENTS | st.text(max_size=20)), is_ascii=st.booleans())
@settings(max_examples=100)
def test_what_the_router_leaves_as_it_is_the_engine_reads_so(
    tokenizer: MistralTokenizer, messages: list[dict[str, Any]], is_ascii: bool
) -> None:
    assert same(tokenizer, messages, is_ascii=is_ascii)


@given(messages=ROUNDS)
@settings(max_examples=200)
def test_what_the_router_puts_in_order_is_written_as_the_engine_reads_it(
    tokenizer: MistralTokenizer, messages: list[dict[str, Any]]
) -> None:
    status = 400
    try:
        assert same(tokenizer, messages)
    except ApiError as error:
        status = error.status
    assert 400 == status
